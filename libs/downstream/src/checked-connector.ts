import { buildConnector } from 'undici';
import { literalAddress, mayCall } from './address.ts';
import { processDownstreams } from './share-downstreams.ts';

/** Why a connection was given up: the name of the downstream leads where no call may go. */
export class AddressRefusedError extends Error {
  override readonly name = 'AddressRefusedError';
  readonly code = 'address-refused';
}

/**
 * Makes connections, and closes those to an address that may not be called, before any request is written. The address is
 * that of the socket: what a name resolved to before is a guess, and Node does not ask for literals at all.
 */
export function checkedConnector(timeoutMs: number): buildConnector.connector {
  const connect = buildConnector({ timeout: timeoutMs });
  return (options, callback) =>
    connect(options, (error, socket) => {
      if (error) return callback(error, null);
      // Literals were checked with the base URL, which may name a private one.
      const isLiteral = literalAddress(options.hostname) !== undefined;
      const { remoteAddress = '' } = socket;
      if (isLiteral || mayCall(remoteAddress, processDownstreams().privateAddresses)) return callback(null, socket);
      socket.destroy();
      callback(
        new AddressRefusedError(
          `${options.hostname} leads to ${remoteAddress}: name its range in DOWNSTREAM_PRIVATE_ADDRESSES if that is meant`,
        ),
        null,
      );
    });
}

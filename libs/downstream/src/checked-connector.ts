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
  // Set here, or NODE_TLS_REJECT_UNAUTHORIZED could switch it off.
  const connect = buildConnector({ timeout: timeoutMs, rejectUnauthorized: true });
  return (options, callback) =>
    connect(options, (error, socket) => {
      if (error) return callback(error, null);
      // Literals were checked with the base URL, which may name a private one.
      const isLiteral = literalAddress(options.hostname) !== undefined;
      const { remoteAddress: address = '' } = socket;
      const { privateAddresses, log } = processDownstreams();
      if (isLiteral || mayCall(address, privateAddresses)) return callback(null, socket);
      socket.destroy();
      const host = options.hostname;
      log?.warn(
        { host, address },
        'a downstream leads to an address that is not allowed, see DOWNSTREAM_PRIVATE_ADDRESSES',
      );
      callback(new AddressRefusedError(`${host} leads to ${address}, which may not be called`), null);
    });
}

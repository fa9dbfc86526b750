import { expect, test } from '@jest/globals';
import { connectionFault } from './connection-fault.ts';

const fault = (code: string, sent: boolean) => connectionFault(Object.assign(new Error('x'), { code }), sent).kind;

test.each(['ECONNREFUSED', 'ENOTFOUND', 'UND_ERR_CONNECT_TIMEOUT', 'ECONNRESET', 'EPROTO', 'CERT_HAS_EXPIRED'])(
  '%s before anything was sent is no doubt about the outcome',
  (code) => {
    expect(fault(code, false)).toBe('unsent');
  },
);

test.each(['ECONNRESET', 'UND_ERR_SOCKET', 'EPIPE', 'CERT_HAS_EXPIRED'])(
  '%s after sending leaves the outcome open',
  (code) => {
    expect(fault(code, true)).toBe('lost');
  },
);

test('what is thrown need not be an error', () => {
  expect(connectionFault(undefined, true)).toMatchObject({ kind: 'lost', type: '_OTHER' });
});

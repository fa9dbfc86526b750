import { expect, test } from '@jest/globals';
import { connectionFault } from './connection-fault.ts';

const fault = (code: string, sent: boolean) => connectionFault(Object.assign(new Error('x'), { code }), sent).kind;

test.each([
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])('the certificate fault %s is not mended by another try', (code) => {
  expect(fault(code, false)).toBe('refused');
});

test.each(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT', 'ECONNRESET', 'EPROTO'])(
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

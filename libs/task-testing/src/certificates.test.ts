import { expect, test } from '@jest/globals';
import { X509Certificate } from 'node:crypto';
import { CertificateAuthority } from './certificates.ts';

test('an authority issues what it can be held to, under the names that were asked for', () => {
  const [authority, stranger] = [new CertificateAuthority('ours'), new CertificateAuthority('ours')];
  const issued = new X509Certificate(authority.issue({ names: ['api.test', '10.0.0.1', 'spiffe://test/shop'] }).cert);
  expect(issued.subjectAltName).toBe('DNS:api.test, IP Address:10.0.0.1, URI:spiffe://test/shop');
  expect(issued.verify(new X509Certificate(authority.cert).publicKey)).toBe(true);
  expect(issued.verify(new X509Certificate(stranger.cert).publicKey)).toBe(false);
  expect(Date.parse(issued.validTo)).toBeGreaterThan(Date.now());
});

test('an authority issues what has expired', () => {
  const { validFrom, validTo } = new X509Certificate(new CertificateAuthority().issue({ days: -2 }).cert);
  expect(Date.parse(validTo)).toBeLessThan(Date.now());
  expect(Date.parse(validFrom)).toBeLessThan(Date.parse(validTo));
});

import { describe, expect, test } from '@jest/globals';
import { CertificateAuthority } from '@coordinator/task-testing';
import { generateKeyPairSync } from 'node:crypto';
import { certificates } from './certificates-field.ts';
import { FAKE_CERTIFICATE } from './fixtures/fake-certificate.ts';

const PEM = `-----BEGIN CERTIFICATE-----\n${FAKE_CERTIFICATE.replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;

/** A certificate of a key on an elliptic curve. */
const ELLIPTIC =
  'MIIBbjCCARSgAwIBAgIUTOUGN1ogJPz29dztvydY4E/Fr8AwCgYIKoZIzj0EAwIwDTELMAkGA1UEAwwCZWMwIBcNMjYxMTIxMTkwMjIyWhgPMjEyNjEw' +
  'MjgxOTAyMjJaMA0xCzAJBgNVBAMMAmVjMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEmP4DAV2+ui2V6fBz1J0VyyZ3S0SzRXNKUtkzBoBWB2gDcdu7' +
  'UgnGgWDEZRyuJJGsx1WUNqj5a5U68FPr1bUtlKNQME4wHQYDVR0OBBYEFHQdn9eVe1NJpL0HxRsU+8cvyJy3MB8GA1UdIwQYMBaAFHQdn9eVe1NJpL0H' +
  'xRsU+8cvyJy3MAwGA1UdEwEB/wQCMAAwCgYIKoZIzj0EAwIDSAAwRQIhAI9DKQS4kh00W/t1jMza9KfNEzM1CWntNMNYE6dNcQgCAiAkAjx9ivt6V1rG' +
  'mCnPhD60qA1yIBGJuG0Rf6e0LXf0GA==';

/** The subjects of what the field reads. */
const subjectsOf = (text: string) =>
  certificates()
    .parse(text)
    .map(({ subject }) => subject);
const SUBJECT = 'CN=messageverificationcerts.sandbox.test';

describe('certificates', () => {
  test('are read from PEM, and from base64 on one line', () => {
    expect(subjectsOf(PEM)).toEqual([SUBJECT]);
    expect(subjectsOf(FAKE_CERTIFICATE)).toEqual([SUBJECT]);
  });

  test('may be several, for the time in which PayPal changes from one to the next', () => {
    expect(subjectsOf(PEM + PEM)).toEqual([SUBJECT, SUBJECT]);
    expect(subjectsOf(`${FAKE_CERTIFICATE}, ${FAKE_CERTIFICATE}`)).toEqual([SUBJECT, SUBJECT]);
  });

  test('are those that sign: authorities that come along are left out', () => {
    const authority = new CertificateAuthority();

    expect(subjectsOf(authority.issue().cert + authority.cert)).toEqual(['CN=test']);
    expect(() => subjectsOf(authority.cert)).toThrow('not that of an authority');
  });

  test.each([
    ['nothing', '', 'at least one certificate'],
    ['a comma', ' , ', 'at least one certificate'],
    ['no base64', 'not base64!', 'number 1 is none'],
    ['an address', 'https://api.paypal.com/v1/notifications/certs/CERT-1', 'number 1 is none'],
    ['half a certificate', `${FAKE_CERTIFICATE},${FAKE_CERTIFICATE.slice(0, -8)}`, 'number 2 is none'],
    ['that of another kind of key', ELLIPTIC, 'number 1 is none'],
  ])('are not %s', (_, text, fault) => {
    expect(() => certificates().parse(text)).toThrow(fault);
  });

  test('are no keys, and a fault quotes nothing', () => {
    const { publicKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    const faults = certificates()
      .safeParse(publicKey)
      .error?.issues.map(({ message }) => message);

    expect(faults).toEqual(['must be certificates with RSA keys, in PEM or as base64; number 1 is none']);
  });
});

import { describe, expect, test } from '@jest/globals';
import { CertificateAuthority } from '@coordinator/task-testing';
import { generateKeyPairSync } from 'node:crypto';
import { certificates } from './certificates-field.ts';
import { FAKE_CERTIFICATE } from './fixtures/fake-certificate.ts';

const PEM = `-----BEGIN CERTIFICATE-----\n${FAKE_CERTIFICATE.replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;

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
    ['', 'at least one certificate'],
    [' , ', 'at least one certificate'],
    ['not base64!', 'number 1 is none'],
    ['https://api.paypal.com/v1/notifications/certs/CERT-1', 'number 1 is none'],
    [`${FAKE_CERTIFICATE},${FAKE_CERTIFICATE.slice(0, -8)}`, 'number 2 is none'],
  ])('are not "%.20s"', (text, fault) => {
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

import { field, FieldFault, type Field } from '@coordinator/extension';
import { X509Certificate } from 'node:crypto';

/** Of PEM. Without them and white space, a certificate is base64 on one line, as it fits into an environment variable. */
const ARMOR = /-----(?:BEGIN|END) CERTIFICATE-----/g;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/**
 * One or more certificates with RSA keys, in PEM or as the base64 of each, separated by commas. Those of authorities, which
 * may come along, are left out. Required.
 */
export function certificates(): Field<readonly X509Certificate[]> {
  return field((text) => {
    const blocks = text
      .replace(ARMOR, ',')
      .replace(/\s/g, '')
      .split(',')
      .filter((block) => block !== '');
    const found = blocks.map((block, at) => {
      const certificate = parsed(block);
      if (certificate?.ca || certificate?.publicKey.asymmetricKeyType === 'rsa') return certificate;
      throw new FieldFault(`must be certificates with RSA keys, in PEM or as base64; number ${at + 1} is none`);
    });
    const own = found.filter(({ ca }) => !ca);
    if (own.length === 0) throw new FieldFault('must hold at least one certificate that is not that of an authority');
    return own;
  });
}

function parsed(base64: string): X509Certificate | undefined {
  try {
    return BASE64.test(base64) ? new X509Certificate(Buffer.from(base64, 'base64')) : undefined;
  } catch {
    return undefined;
  }
}

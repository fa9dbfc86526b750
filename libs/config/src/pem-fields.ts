import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { field, FieldFault, type Field } from './field.ts';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * The path of a file with one certificate in PEM or more; what it holds is read again whenever it is used, so that it can
 * be renewed. Name the variable …_FILE. Required: add `.optional()`.
 */
export function certificateFile(): Field<string> {
  return fileOf('must name a file with a certificate in PEM', (content) => {
    const certificates = content.match(CERTIFICATE) ?? [];
    if (certificates.length === 0) throw new Error('none');
    for (const certificate of certificates) new X509Certificate(certificate);
  });
}

/** The path of a file with a private key in PEM; see {@link certificateFile}. */
export function privateKeyFile(): Field<string> {
  return fileOf('must name a file with an unencrypted private key in PEM', (content) => void createPrivateKey(content));
}

function fileOf(must: string, check: (content: string) => void): Field<string> {
  return field((text) => {
    const path = text.trim();
    try {
      check(readFileSync(path, 'utf8'));
      return path;
    } catch (error) {
      // The words of the parsers may hold a part of what they have read.
      const { syscall, code } = error as NodeJS.ErrnoException;
      throw new FieldFault(syscall === undefined ? must : `${must}, and it cannot be read (${code})`);
    }
  });
}

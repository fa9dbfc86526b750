import type forge from 'node-forge';
import { constants, generateKeyPairSync, privateEncrypt, randomBytes } from 'node:crypto';

/** A certificate and its key, both in PEM. */
export interface IssuedCertificate {
  readonly cert: string;
  readonly key: string;
}

/** What is special about a certificate. */
export interface CertificateOptions {
  /** Its subject alternative names: `api.test`, `127.0.0.1`, `spiffe://test/shop`. Default: 127.0.0.1 and localhost. */
  readonly names?: readonly string[];
  /** Days from now until it expires; negative for one that has. Default 1. */
  readonly days?: number;
}

// Required where it is used: the other tests, and the sandbox, are not to pay for it.
const loadForge = () => require('node-forge') as typeof forge;

const DAY_MS = 24 * 3_600_000;
/** Of GeneralName. Source: https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.6 */
const [DNS, URI, IP] = [2, 6, 7];

/** An authority of a test's own, which is in no trust store: what it issues is worth something to those who name it. */
export class CertificateAuthority {
  /** In PEM, as a CA file holds it. */
  readonly cert: string;
  readonly #name: forge.pki.CertificateField[];
  readonly #key: string;
  /** Of all that it issues: to make keys takes a quarter of a second. */
  #issued: ReturnType<typeof newKeys> | undefined;

  constructor(name = 'test authority') {
    const keys = newKeys();
    this.#name = [{ name: 'commonName', value: name }];
    this.#key = keys.privateKey;
    const extensions = [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, critical: true },
    ];
    this.cert = this.#sign(this.#name, keys.publicKey, extensions, 1);
  }

  /** Issues a certificate for servers and clients alike, each time for the same key. */
  issue({ names = ['127.0.0.1', 'localhost'], days = 1 }: CertificateOptions = {}): IssuedCertificate {
    const keys = (this.#issued ??= newKeys());
    const extensions = [
      { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
      { name: 'subjectAltName', altNames: names.map((name) => alternativeName(name)) },
    ];
    const cert = this.#sign([{ name: 'commonName', value: 'test' }], keys.publicKey, extensions, days);
    return { cert, key: keys.privateKey };
  }

  #sign(subject: forge.pki.CertificateField[], publicKey: string, extensions: object[], days: number): string {
    const { md, pki } = loadForge();
    const certificate = pki.createCertificate();
    certificate.publicKey = pki.publicKeyFromPem(publicKey);
    // Its first byte makes it positive, and is no padding.
    certificate.serialNumber = `01${randomBytes(8).toString('hex')}`;
    const endMs = Date.now() + days * DAY_MS;
    certificate.validity.notBefore = new Date(Math.min(Date.now(), endMs) - DAY_MS);
    certificate.validity.notAfter = new Date(endMs);
    certificate.setSubject(subject);
    certificate.setIssuer(this.#name);
    certificate.setExtensions(extensions);
    const key = { sign: (hash: forge.md.MessageDigest) => signatureOf(hash, this.#key) };
    certificate.sign(key as forge.pki.rsa.PrivateKey, md.sha256.create());
    return pki.certificateToPem(certificate);
  }
}

function alternativeName(name: string): object {
  if (name.includes('://')) return { type: URI, value: name };
  return /^[\d.]+$/.test(name) ? { type: IP, ip: name } : { type: DNS, value: name };
}

/** What a SHA-256 is signed with. Source: https://www.rfc-editor.org/rfc/rfc8017#section-9.2, note 1 */
const SHA256_PREFIX = Buffer.from('3031300d060960864801650304020105000420', 'hex');

/** RSASSA-PKCS1-v1_5 by OpenSSL: that of forge takes more than a second under Jest from Node 22 on. */
function signatureOf(hash: forge.md.MessageDigest, key: string): string {
  const info = Buffer.concat([SHA256_PREFIX, Buffer.from(hash.digest().getBytes(), 'latin1')]);
  return privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, info).toString('latin1');
}

function newKeys() {
  return generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
}

import { Secret } from '@coordinator/config';
import { describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { PayloadCipher } from './payload-cipher.ts';

const key = () => new Secret(randomBytes(32).toString('base64'));
const place = { jobId: '0193', field: 'payload' };
const payload = JSON.stringify({ email: 'ada@example.test', name: 'Ada Łovelace' });
const unreadable = expect.objectContaining({ code: 'COORD_ENVELOPE_UNREADABLE' });

describe('a payload cipher', () => {
  const ring = new Map([['k1', key()]]);
  const cipher = new PayloadCipher(ring);
  const stored = cipher.encrypt(payload, place);

  test('gives back what it encrypted, and never encrypts alike', () => {
    expect(stored).toMatch(/^enc1:k1\.[\w-]{6}:[\w-]+$/);
    expect(stored).not.toContain('ada');
    expect(new PayloadCipher(ring).decrypt(stored, place)).toBe(payload);
    const all = Array.from({ length: 1_000 }, () => cipher.encrypt('', place));
    expect(new Set(all.map((text) => text.slice(0, 30))).size).toBe(1_000);
    expect(new Set(all.map((text) => cipher.decrypt(text, place)))).toEqual(new Set(['']));
  });

  test.each([
    ['another job', { ...place, jobId: '0194' }],
    ['another field', { ...place, field: 'step:payload' }],
  ])('does not take it in the place of %s', (_what, elsewhere) => {
    expect(() => cipher.decrypt(stored, elsewhere)).toThrow(unreadable);
  });

  test('does not take it when any byte was changed, or some are missing', () => {
    const at = stored.lastIndexOf(':') + 1;
    const body = Buffer.from(stored.slice(at), 'base64url');
    for (const index of body.keys()) {
      const changed = Buffer.from(body);
      changed[index]! ^= 1;
      expect(() => cipher.decrypt(stored.slice(0, at) + changed.toString('base64url'), place)).toThrow(unreadable);
    }
    for (const cut of [0, 10, 27, 28, body.length - 1]) {
      const short = stored.slice(0, at) + body.subarray(0, cut).toString('base64url');
      expect(() => cipher.decrypt(short, place)).toThrow(unreadable);
    }
    for (const text of ['enc1:', 'enc1:k1', `enc1:k1 k2:${stored.slice(at)}`, `${stored}=`]) {
      expect(() => cipher.decrypt(text, place)).toThrow(unreadable);
    }
  });

  test('decrypts under any key of its ring, and names the one that is missing', () => {
    const rotated = new PayloadCipher(new Map([['k2', key()], ...ring]));
    expect(rotated.decrypt(stored, place)).toBe(payload);
    const missing = expect.objectContaining({ code: 'COORD_PAYLOAD_KEY_UNKNOWN', keyId: rotated.keyIds[0] });
    expect(() => cipher.decrypt(rotated.encrypt(payload, place), place)).toThrow(missing);
  });

  test('takes another key of the same name for a missing one, and not the text for damaged', () => {
    const mistaken = new PayloadCipher(new Map([['k1', key()]]));
    const missing = expect.objectContaining({ code: 'COORD_PAYLOAD_KEY_UNKNOWN', keyId: cipher.keyIds[0] });
    expect(() => mistaken.decrypt(stored, place)).toThrow(missing);
  });

  test('reads what was stored in the clear; without keys stores in the clear, and still knows what is not', () => {
    const clear = new PayloadCipher();
    expect(clear.encrypt(payload, place)).toBe(payload);
    expect(cipher.decrypt(payload, place)).toBe(payload);
    expect(() => clear.decrypt(stored, place)).toThrow(expect.objectContaining({ keyId: cipher.keyIds[0] }));
  });

  test('makes fingerprints that only who has the key can make', () => {
    const rotated = new PayloadCipher(new Map([['k2', key()], ...ring]));
    const own = cipher.fingerprint('hash');
    expect(own).toMatch(/^k1\.[\w-]{6}:[\w-]{22}$/);
    expect(rotated.fingerprint('hash').split(',')).toEqual([expect.stringMatching(/^k2\./), own]);
    expect(cipher.fingerprint('another')).not.toBe(own);
    expect(new PayloadCipher(new Map([['k1', key()]])).fingerprint('hash')).not.toBe(own);
    expect(cipher.fingerprint('v2/:hash')).toMatch(/^v2\/k1\.[\w-]{6}:[\w-]{22}$/);
    expect([cipher.fingerprint(''), new PayloadCipher().fingerprint('hash')]).toEqual(['', 'hash']);
  });
});

import { spawn } from 'node:child_process';
import { createGzip } from 'node:zlib';
import type { ImageEngine } from '../image-engine.ts';

const MEGABYTE = 1_000_000;

/** The most that API and worker may have, compressed. */
export const TARGET_BYTES = 70 * MEGABYTE;

/** A line that tells the size of an image. */
export function sizeLine(name: string, bytes: number): string {
  const over = bytes > TARGET_BYTES ? `, more than the target of ${TARGET_BYTES / MEGABYTE} MB` : '';
  return `  ${name.padEnd(20)} ${(bytes / MEGABYTE).toFixed(1).padStart(6)} MB${over}`;
}

/** Bytes of an image as registries keep and send it: compressed by gzip. @throws Error when the engine cannot give it */
export async function compressedBytes(engine: ImageEngine, reference: string): Promise<number> {
  const save = spawn(engine.name, ['save', reference], { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = new Promise<number | null>((settle) => save.once('error', () => settle(null)).once('close', settle));
  let bytes = 0;
  for await (const chunk of save.stdout.pipe(createGzip())) bytes += (chunk as Buffer).length;
  if ((await ended) !== 0) throw new Error(`${engine.name} save ${reference} failed.`);
  return bytes;
}

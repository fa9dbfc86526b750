import { resolve } from 'node:path';

/** The root folder of this checkout; right for sources and for what is built from them. */
export const REPOSITORY = resolve(__dirname, '../..');

/** Flags that every process of ours runs with. */
export const NODE_FLAGS: readonly string[] = ['--disable-proto=delete', '--enable-source-maps'];

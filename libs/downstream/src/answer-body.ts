import type { AnswerHead } from './ending.ts';

const JSON_TYPE = /^application\/([\w.-]+\+)?json\b/i;

/**
 * Reads a body: JSON, else the text unless it claims to be JSON, else undefined for none.
 *
 * @throws TypeError or SyntaxError when it is not what it claims to be; their messages quote it
 */
export function readBody(head: AnswerHead, body: Uint8Array): unknown {
  if (body.length === 0) return undefined;
  const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
  try {
    return JSON.parse(text);
  } catch (error) {
    if (JSON_TYPE.test(head.headers['content-type'] ?? '')) throw error;
    return text;
  }
}

import type { FakeWebhook } from '@coordinator/extension';
import { Problem } from './problem.ts';

/** How copies of a webhook are sent. */
export interface SendOptions {
  /** How many copies are sent in all, byte for byte the same. Default 1. */
  readonly duplicate?: number;
  /** Sends all copies at once instead of one after another. Default false. */
  readonly concurrent?: boolean;
}

/** What the API answered to one copy. */
export interface WebhookAnswer {
  readonly status: number;
  /** Parsed when it is JSON; else the text. */
  readonly body: unknown;
}

/** Posts a webhook to the API. @throws Problem 502 when the API cannot be reached */
export async function sendWebhook(
  webhook: FakeWebhook,
  apiUrl: string,
  { duplicate = 1, concurrent = false }: SendOptions,
  signal: AbortSignal,
): Promise<WebhookAnswer[]> {
  const url = new URL(webhook.path, apiUrl);
  if (concurrent) return Promise.all(Array.from({ length: duplicate }, () => post(url, webhook, signal)));
  const answers: WebhookAnswer[] = [];
  while (answers.length < duplicate) answers.push(await post(url, webhook, signal));
  return answers;
}

async function post(url: URL, { headers, body }: FakeWebhook, signal: AbortSignal): Promise<WebhookAnswer> {
  try {
    const response = await fetch(url, { method: 'POST', headers, body, signal });
    const text = await response.text();
    return { status: response.status, body: parsed(text) };
  } catch (error) {
    // fetch hides the reason, such as ECONNREFUSED, in the cause.
    const { cause = error } = error as { cause?: unknown };
    throw new Problem(502, `The API at ${url.href} cannot be reached: ${String(cause)}`);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

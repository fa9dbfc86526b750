import { operatorConfig, readConfig, type Secret } from '@coordinator/config';
import { DEVELOPMENT_TOKENS } from './stack-environment.ts';

/** A page of a list. */
export interface AdminPage<Item> {
  readonly items: readonly Item[];
  /** For the next page; null on the last one. */
  readonly cursor: string | null;
}

/** The refusal of a request, as far as it is read here. */
interface Problem {
  readonly code?: string;
  readonly detail?: string;
  readonly errors?: readonly string[];
}

const ANSWER_WITHIN_MS = 60_000;
const BASE = '/admin/v1';

/** The admin API, as operators' commands ask it. */
export class AdminClient {
  readonly #url: string;
  readonly #token: string;

  /** Reads COORDINATOR_ADMIN_URL and COORDINATOR_ADMIN_TOKEN. @throws ConfigError; Error when there is no token */
  constructor() {
    const { COORDINATOR_ADMIN_URL: url, COORDINATOR_ADMIN_TOKEN: token } = readConfig([operatorConfig]);
    this.#url = url.replace(/\/+$/, '');
    this.#token = tokenFor(token, process.env.COORDINATOR_ADMIN_URL);
  }

  /** GET. @throws Error that says what to do when there is no answer to go on with */
  get<Answer>(path: string, query: Readonly<Record<string, string | undefined>> = {}): Promise<Answer> {
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, value);
    return this.#ask(parameters.size === 0 ? path : `${path}?${parameters}`, { method: 'GET' }) as Promise<Answer>;
  }

  /** POST; undefined when there is no such object. @throws Error that says what to do when there is no answer to go on with */
  post<Answer>(path: string, body: object): Promise<Answer | undefined> {
    const headers = { 'content-type': 'application/json' };
    return this.#ask(path, { method: 'POST', headers, body: JSON.stringify(body) }) as Promise<Answer | undefined>;
  }

  async #ask(path: string, init: RequestInit): Promise<unknown> {
    const headers = { ...init.headers, authorization: `Bearer ${this.#token}` };
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
    let answer: Response;
    let text: string;
    try {
      answer = await fetch(this.#url + BASE + path, { ...init, headers, signal, redirect: 'error' });
      text = await answer.text();
    } catch (error) {
      throw new Error(
        `No API answers at ${this.#url} (${reasonOf(error)}). Set COORDINATOR_ADMIN_URL to where one serves its ADMIN_PORT.`,
        { cause: error },
      );
    }
    if (answer.ok) return JSON.parse(text);
    const problem = problemOf(text);
    if (answer.status === 404 && problem.code === 'COORD_NOT_FOUND' && init.method === 'POST') return undefined;
    throw new Error(this.#explain(answer.status, problem));
  }

  #explain(status: number, { code, detail, errors = [] }: Problem): string {
    if (code === undefined) return `What answers at ${this.#url} is no API of ours: it says ${status}.`;
    if (status === 401) {
      return `The API at ${this.#url} does not know this token: set COORDINATOR_ADMIN_TOKEN to one of its ADMIN_TOKENS.`;
    }
    if (status === 403) return `The API at ${this.#url} refuses this: ${detail}. Use a token that may do it.`;
    return [`The API at ${this.#url} refuses this: ${detail} (${code}).`, ...errors].join('\n');
  }
}

/** Only the stack of `npm start` on this machine is asked with the token that everybody knows. */
function tokenFor(token: Secret | undefined, url: string | undefined): string {
  if (token) return token.reveal();
  if (!url) return DEVELOPMENT_TOKENS.ADMIN_TOKENS.replace(/^\w+=(.*):[^:]*$/, '$1');
  throw new Error(
    'COORDINATOR_ADMIN_TOKEN is not set: set it, or COORDINATOR_ADMIN_TOKEN_FILE, beside COORDINATOR_ADMIN_URL.',
  );
}

function problemOf(text: string): Problem {
  try {
    return Object(JSON.parse(text)) as Problem;
  } catch {
    return {};
  }
}

function reasonOf(error: unknown): string {
  const { code, name } = Object((error as Error).cause ?? error) as { code?: string; name?: string };
  return code ?? name ?? 'unknown';
}

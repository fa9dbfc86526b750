import { CoordinatorError, cursorInvalid, TIMELINE_PAGE } from '@coordinator/tasks';

/** A cursor is the 16 bytes of a job id in base64url; callers are not to know. */
const CURSOR = /^[\w-]{21}[AQgw]$/;
/** Jobs on a page when the caller does not say. */
const DEFAULT_LIMIT = 100;
const LIMIT = /^[1-9]\d{0,3}$/;

/** Which page of a timeline a caller asks for. */
export interface PageRequest {
  /** Id of the job before which it ends; undefined for the newest page. */
  readonly before: string | undefined;
  /** Most jobs to show. */
  readonly limit: number;
}

/** The cursor of the page that comes before a job. */
export function cursorBefore(jobId: string): string {
  return Buffer.from(jobId.replaceAll('-', ''), 'hex').toString('base64url');
}

/**
 * Reads `cursor` and `limit` from the query of a URL. Other parameters are not looked at.
 *
 * @throws CoordinatorError COORD_QUERY_INVALID
 */
export function readTimelineQuery(url: string): PageRequest {
  const start = url.indexOf('?');
  const parameters = new URLSearchParams(start === -1 ? '' : url.slice(start));
  const cursor = single(parameters, 'cursor');
  const limit = single(parameters, 'limit');
  if (cursor !== undefined && !CURSOR.test(cursor)) throw cursorInvalid();
  if (limit !== undefined && (!LIMIT.test(limit) || Number(limit) > TIMELINE_PAGE)) {
    throw new CoordinatorError('COORD_QUERY_INVALID', `limit is a whole number from 1 to ${TIMELINE_PAGE}`);
  }
  return {
    before: cursor === undefined ? undefined : jobIdOf(cursor),
    limit: limit === undefined ? DEFAULT_LIMIT : Number(limit),
  };
}

function single(parameters: URLSearchParams, name: string): string | undefined {
  const [value, ...others] = parameters.getAll(name);
  if (others.length === 0) return value;
  throw new CoordinatorError('COORD_QUERY_INVALID', `${name} may come once`);
}

function jobIdOf(cursor: string): string {
  const hex = Buffer.from(cursor, 'base64url').toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

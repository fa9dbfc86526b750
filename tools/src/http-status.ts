import { get } from 'node:http';

/** Status of a GET, or 0 where nothing answers within `withinMs` (default 1000). Leaves no connection open. */
export function httpStatus(url: string, withinMs = 1000): Promise<number> {
  return new Promise((settle) => {
    const request = get(url, { agent: false, timeout: withinMs }, (response) => {
      response.resume();
      settle(response.statusCode ?? 0);
    });
    request.once('timeout', () => request.destroy());
    request.once('error', () => settle(0));
    request.once('close', () => settle(0));
  });
}

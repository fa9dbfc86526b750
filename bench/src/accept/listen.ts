import type { Express } from 'express';

/** Has a server of the benchmark listen on the port it was given. */
export function listen(app: Express): void {
  app.listen(Number(process.env.API_PORT), '127.0.0.1', (error?: Error) => {
    if (error) throw error;
  });
}

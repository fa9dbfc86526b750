import { createServer } from 'node:net';

/** A port that a process is going to listen on. */
export interface WantedPort {
  /** What listens there: `API`. */
  user: string;
  /** The variable that changes it: `API_PORT`. */
  variable: string;
  port: number;
}

/** What to tell about every wanted port that something else listens on already, or that is wanted twice. */
export async function takenPorts(wanted: readonly WantedPort[]): Promise<string[]> {
  const complaints = await Promise.all(
    wanted.map(async ({ user, variable, port }, index) => {
      const twin = wanted.findIndex((other) => other.port === port);
      if (twin < index) return `Port ${port} is wanted by ${wanted[twin]?.user} and by ${user}: change ${variable}.`;
      if (await canListen(port)) return [];
      return `Port ${port} (${user}) is taken: end what listens there, or choose another one with ${variable}=${port + 10_000}.`;
    }),
  );
  return complaints.flat();
}

/** Both ways of listening are tried: a port taken on one address only is free to those who ask for the other. */
async function canListen(port: number): Promise<boolean> {
  return (await canListenOn(port, '127.0.0.1')) && (await canListenOn(port));
}

function canListenOn(port: number, host?: string): Promise<boolean> {
  return new Promise((settle) => {
    const server = createServer();
    server.once('error', () => settle(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => settle(true)));
  });
}

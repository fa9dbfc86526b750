import assert from 'node:assert/strict';
import type { ContainerStack } from './container-stack.ts';

/** Checks that a started API and worker tell the release of their image, before they have ended. @throws Error */
export async function checkVersions({ versionUrls }: ContainerStack, release: string): Promise<void> {
  for (const url of versionUrls) {
    assert.deepEqual(await (await fetch(url)).json(), { release }, `${url} tells another release than the image`);
  }
}

/** Checks that all log lines tell the release of the image; what an engine says in between is no log line. @throws Error */
export function checkLogs({ api, worker }: Pick<ContainerStack, 'api' | 'worker'>, release: string): void {
  for (const { name, lines } of [api, worker]) {
    const logged = lines.filter((line) => line.startsWith('{'));
    const releases = logged.map((line) => (JSON.parse(line) as { release?: string }).release);
    assert.deepEqual([...new Set(releases)], [release], `${name} logs another release than that of its image`);
  }
}

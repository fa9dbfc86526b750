import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { IDeployment } from 'kubernetes-models/apps/v1';
import { REPOSITORY } from '../repository.ts';
import { readCompose } from './compose-file.ts';
import { readYaml } from './yaml-file.ts';

const read = (path: string) => readFileSync(join(REPOSITORY, path), 'utf8');
const guide = read('docs/guides/deploy.md');

/** The cells of the rows of all its tables, by the first one. */
const rows = new Map(
  Array.from(guide.matchAll(/^\| (.+) \|$/gm), ([, row = '']) => row.split('|').map((cell) => cell.trim())).map(
    ([first = '', ...rest]) => [first, rest],
  ),
);

const deploymentOf = (of: string) =>
  readYaml(`kubernetes/base/${of}.yaml`).find(
    (manifest) => (manifest as IDeployment).kind === 'Deployment',
  ) as IDeployment;
const podOf = (of: string) => deploymentOf(of).spec!.template.spec!;

describe('docs/guides/deploy.md', () => {
  test.each(['api', 'worker'])('tells the drain times that Compose gives the %s', (of) => {
    const { environment, stop_grace_period: killed } = readCompose('sandbox/compose.env').services[of]!;
    const { SHUTDOWN_DELAY_MS: delay = '–', SHUTDOWN_GRACE_MS: grace } = environment!;
    const name = of === 'api' ? 'API' : of;
    expect(rows.get(`${name}, Compose`)?.slice(1)).toEqual([delay, grace, killed!.replace('s', ' s')]);
  });

  test.each(['api', 'worker'])('tells the drain times that Kubernetes gives the %s', (of) => {
    const delay = podOf(of).containers[0]!.env?.find(({ name }) => name === 'SHUTDOWN_DELAY_MS')?.value ?? '–';
    const grace = /^SHUTDOWN_GRACE_MS=(\d+)$/m.exec(read('deploy/kubernetes/base/coordinator.env'))?.[1];
    const name = of === 'api' ? 'API' : of;
    const told = [delay, grace, `${podOf(of).terminationGracePeriodSeconds} s`];
    expect(rows.get(`${name}, Kubernetes`)?.slice(1)).toEqual(told);
  });

  test('makes the secrets that the pods mount, of the files that they name', () => {
    const files = ['api', 'worker'].flatMap((of) =>
      (podOf(of).containers[0]!.env ?? []).flatMap(({ name, value = '' }) => (name.endsWith('_FILE') ? [value] : [])),
    );
    const mounted = new Set(files.map((file) => file.replace('/run/secrets/', '')));
    const made = Array.from(guide.matchAll(/create secret generic (\S+)((?:\s+\\?\s*--from-file=\S+)+)/g)).flatMap(
      ([, secret, from = '']) => Array.from(from.matchAll(/--from-file=(\S+)/g), ([, file]) => `${secret}/${file}`),
    );
    expect(made.sort()).toEqual([...mounted].sort());
    expect(files.map((file) => basename(file))).not.toEqual([]);
  });

  // Rounded up, so that a run on another machine, which may be twice as fast or as slow, need not change it.
  test.each([
    ['request accepted', 'ours, tracing on'],
    ['attempt that completes', 'ours, tracing on'],
  ])('reckons a %s with what the benchmarks have measured, rounded up', (each, measured) => {
    const tables = read('docs/benchmarks.md').split(/^\| µs .*$/m);
    const table = tables[each === 'request accepted' ? 1 : 2]!;
    const costs = new RegExp(`^\\| ${measured} .*$`, 'm').exec(table)![0].matchAll(/(\d+) \(/g);
    const [node = 0, redis = 0] = Array.from(costs, ([, us]) => Number(us) / 1_000);
    const [toldNode = 0, toldRedis = 0] = rows.get(each)!.map((cell) => parseFloat(cell));
    for (const [told, cost] of [
      [toldNode, node],
      [toldRedis, redis],
    ] as const) {
      expect(told).toBeGreaterThanOrEqual(cost);
      expect(told).toBeLessThanOrEqual(3 * cost);
    }
  });
});

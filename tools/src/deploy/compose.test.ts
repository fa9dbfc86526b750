import { installed } from '@coordinator/installed-extensions';
import { environmentOf } from '@coordinator/task-testing';
import { describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { composeFaults, readCompose } from './compose-file.ts';
import { drainTimeMs } from './drain-time.ts';
import { localSecret, namesInVain, readAs } from './process-settings.ts';
import { deployed, readYaml } from './yaml-file.ts';

const file = readCompose('sandbox/compose.env');
const { services, secrets } = file;
const service = (name: string) => services[name]!;
const environmentFor = (name: string) => service(name).environment ?? {};
const processes = ['api', 'worker'] as const;

/** The address that a health check asks. */
const askedBy = (name: string) =>
  new URL(/http:\/\/[^'"\s]+/.exec(service(name).healthcheck?.test.join(' ') ?? '')?.[0] ?? '');

describe('deploy/compose.yaml', () => {
  test('is what the Compose specification allows', () => {
    expect(composeFaults(file)).toEqual([]);
    const slip = { ...file, services: { ...services, api: { ...service('api'), stop_grace_perod: '45s' } } };
    expect(composeFaults(slip)).toEqual([expect.stringContaining('stop_grace_perod')]);
  });

  test.each(processes)('the %s, twice, can start with what it is given, and reads all of it', (of) => {
    expect(service(of).deploy?.replicas).toBe(2);
    expect(namesInVain(of, environmentFor(of))).toEqual([]);
    expect(() => readAs(of, environmentFor(of))).not.toThrow();
  });

  test.each(processes)('the %s is given the secrets that its variables name, and no others', (of) => {
    const named = Object.entries(environmentFor(of)).filter(([name]) => name.endsWith('_FILE'));
    expect(named.map(([, path]) => path).sort()).toEqual(
      service(of)
        .secrets!.map((name) => `/run/secrets/${name}`)
        .sort(),
    );
  });

  test('each secret of a service is a file of the folder for secrets', () => {
    for (const { secrets: used = [] } of Object.values(services)) {
      for (const name of used) {
        expect(secrets[name]?.file).toBe(`./sandbox/secrets/${name}`);
        expect(existsSync(localSecret(name))).toBe(true);
      }
    }
  });

  test.each(processes)('the %s is given the time that its drain takes', (of) => {
    const graceMs = parseInt(service(of).stop_grace_period!) * 1000;
    expect(graceMs).toBeGreaterThanOrEqual(drainTimeMs(readAs(of, environmentFor(of))));
  });

  test.each([
    ['api', 'ADMIN_PORT'],
    ['worker', 'WORKER_PORT'],
  ] as const)('the health of the %s is asked at its %s', (of, port) => {
    const { port: asked, pathname } = askedBy(of);
    expect([Number(asked), pathname]).toEqual([readAs(of, environmentFor(of))[port], '/readyz']);
  });

  test('nothing runs as more than it has to, and nothing writes outside a volume', () => {
    expect(Object.values(services).filter((one) => !('read_only' in one) || !one.read_only)).toEqual([]);
    for (const one of Object.values(services)) {
      expect(one).toMatchObject({ cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
      expect(one).not.toHaveProperty('privileged');
    }
  });

  test('Redis and the APIs are on the inner network only, and nothing but a loopback address is published', () => {
    expect([service('redis').networks, service('api').networks]).toEqual([['inside'], ['inside']]);
    const published = Object.values(services).flatMap(({ ports = [] }) => ports);
    expect(published.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  });

  test('each file that is mounted is there', () => {
    const mounted = Object.values(services).flatMap(({ volumes = [] }) =>
      volumes.filter((path) => path.startsWith('./')),
    );
    expect(mounted).toHaveLength(3);
    expect(mounted.filter((volume) => !existsSync(join(deployed('.'), volume.split(':')[0]!)))).toEqual([]);
  });

  test('the balancer asks the APIs whether they are ready, sooner than a draining one stops to serve', () => {
    const settings = readFileSync(deployed('balancer/haproxy.cfg'), 'utf8');
    expect(settings).toContain('uri /readyz');
    const [, port, seconds, failures] = /server-template api \d+ api:(\d+) check inter (\d+)s fall (\d+)/.exec(
      settings,
    )!;
    const { API_PORT, SHUTDOWN_DELAY_MS } = readAs('api', environmentFor('api')) as Record<string, number>;
    expect(Number(port)).toBe(API_PORT);
    expect((Number(failures) + 1) * Number(seconds) * 1000).toBeLessThanOrEqual(SHUTDOWN_DELAY_MS!);
    expect(settings).toMatch(/frontend api\n {2}bind :8080\n/);
    const { port: asked, pathname } = askedBy('balancer');
    expect(settings).toContain(`bind :${asked}\n  no log\n  monitor-uri ${pathname}\n`);
  });

  test('the collector takes what the processes export', () => {
    const [{ receivers }] = readYaml('collector.yaml') as [
      { receivers: { otlp: { protocols: { http: { endpoint: string } } } } },
    ];
    const port = receivers.otlp.protocols.http.endpoint.split(':')[1];
    for (const of of processes) {
      expect(environmentFor(of).OTEL_EXPORTER_OTLP_ENDPOINT).toBe(`http://collector:${port}`);
    }
  });

  test('with deploy/sandbox/compose.env all extensions call the sandbox, with what it knows them by', async () => {
    const named = installed.map(async ({ name, fake }) => fake && ([name, await fake()] as const));
    const fakes = Object.fromEntries((await Promise.all(named)).filter((entry) => entry !== undefined));
    const wanted = Object.entries(environmentOf(fakes, 'http://sandbox:8090'));
    const given = { ...environmentFor('api'), ...environmentFor('worker') };
    const effective = wanted.map(([name]) => {
      const path = given[`${name}_FILE`];
      return [name, path === undefined ? given[name] : readFileSync(localSecret(path), 'utf8').trimEnd()];
    });
    // The one that no platform of today wants any more is left out.
    const unset = Object.fromEntries([['OPEN_EDX_LMS_API_KEY', undefined]]);
    expect(Object.fromEntries(effective)).toEqual({ ...Object.fromEntries(wanted), ...unset });
    expect(environmentFor('sandbox')).toMatchObject({ SANDBOX_PORT: '8090', SANDBOX_API_URL: 'http://balancer:8080' });
  });

  test('without the variables of a real installation it says which are missing', () => {
    expect(() => readCompose('kubernetes/base/coordinator.env')).toThrow(
      'OPEN_EDX_LMS_URL is not set: the base address',
    );
  });
});

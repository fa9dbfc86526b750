import { describe, expect, test } from '@jest/globals';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { IDeployment } from 'kubernetes-models/apps/v1';
import type { IContainer, IPodSpec, IProbe } from 'kubernetes-models/v1';
import { drainTimeMs } from './drain-time.ts';
import { faultsOf, type Manifest } from './kubernetes-schema.ts';
import { kustomize } from './kustomize.ts';
import { localSecret, namesInVain, readAs, type DeployedProcess } from './process-settings.ts';
import { deployed, readVariables, readYaml } from './yaml-file.ts';

const BASE = 'kubernetes/base';
const OVERLAY = 'kubernetes/overlays/example-production';

interface Kustomization {
  readonly resources?: readonly string[];
  readonly components?: readonly string[];
  readonly patches?: readonly {
    readonly path: string;
    readonly target?: { readonly kind: string; readonly name: string };
  }[];
}

const kustomizationOf = (folder: string) => readYaml(`${folder}/kustomization.yaml`)[0] as Kustomization;

/** The manifests that a folder adds, its bases not included. */
function manifestsOf(folder: string): Manifest[] {
  const files = (kustomizationOf(folder).resources ?? []).filter((path) => path.endsWith('.yaml'));
  return files.flatMap((file) => readYaml(`${folder}/${file}`) as Manifest[]);
}

const base = manifestsOf(BASE);
const processes = ['api', 'worker'] as const;

const deploymentOf = (of: DeployedProcess) =>
  base.find(
    ({ kind, metadata }) => kind === 'Deployment' && metadata.name === `coordinator-${of}`,
  ) as unknown as IDeployment;
const podOf = (of: DeployedProcess): IPodSpec => deploymentOf(of).spec!.template.spec!;
const containerOf = (of: DeployedProcess): IContainer => podOf(of).containers[0]!;

/** What a ConfigMap holds in production. */
const configMap = (name: string) => ({
  ...readVariables(`${BASE}/${name}.env`),
  ...readVariables(`${OVERLAY}/${name}.env`),
});

/** What the process gets in production: its ConfigMaps, and what is its own. */
function environmentOf(of: DeployedProcess): Record<string, string> {
  const { env = [], envFrom = [] } = containerOf(of);
  const maps = envFrom.map(({ configMapRef }) => configMap(configMapRef!.name!.replace(/^coordinator-/, '')));
  const own = Object.fromEntries(env.map(({ name, value = '' }) => [name, value]));
  return Object.assign({}, ...maps, own) as Record<string, string>;
}

describe('deploy/kubernetes', () => {
  test.each([BASE, OVERLAY, 'redis'])('%s holds what the schemas of its kinds allow, and nothing else', (folder) => {
    const manifests = manifestsOf(folder);
    expect(manifests.length).toBeGreaterThan(0);
    expect(manifests.flatMap(faultsOf)).toEqual([]);
  });

  test.each([BASE, OVERLAY, 'redis'])('%s names all its files, and all that it names is there', (folder) => {
    const { resources = [], components = [], patches = [] } = kustomizationOf(folder);
    const named = [...resources, ...components, ...patches.map(({ path }) => path)];
    expect(named.filter((path) => !existsSync(join(deployed(folder), path)))).toEqual([]);
    const present = readdirSync(deployed(folder)).filter((name) => /(?<!kustomization)\.yaml$/.test(name));
    expect(present.filter((name) => !named.includes(name))).toEqual([]);
  });

  test('each patch of the overlay meets a manifest of the base', () => {
    const targets = (kustomizationOf(OVERLAY).patches ?? []).map(({ path, target }) => {
      const patch = readYaml(`${OVERLAY}/${path}`)[0] as Manifest;
      return target ? `${target.kind} ${target.name}` : `${patch.kind} ${patch.metadata.name}`;
    });
    expect(targets).not.toEqual([]);
    const known = base.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(targets.filter((target) => !known.includes(target))).toEqual([]);
  });

  test.each(processes)('the %s can start with what it is given, and reads all of it', (of) => {
    expect(namesInVain(of, environmentOf(of))).toEqual([]);
    expect(readAs(of, environmentOf(of))).toMatchObject({ NODE_ENV: 'production' });
  });

  test.each(processes)('each secret of the %s is a file of a secret that is mounted', (of) => {
    const files = (containerOf(of).env ?? []).filter(({ name }) => name.endsWith('_FILE')).map(({ value }) => value!);
    const mounts = (containerOf(of).volumeMounts ?? []).map(({ mountPath }) => mountPath);
    expect(files.filter((file) => !mounts.some((mount) => file.startsWith(`${mount}/`)))).toEqual([]);
    expect(files.filter((file) => !existsSync(localSecret(file)))).toEqual([]);
    const secrets = (podOf(of).volumes ?? []).map(({ secret }) => secret?.secretName);
    expect(secrets).toEqual([`coordinator-${of}`, 'coordinator']);
  });

  test.each(processes)('the %s is given the time that its drain takes', (of) => {
    const graceMs = podOf(of).terminationGracePeriodSeconds! * 1000;
    expect(graceMs).toBeGreaterThanOrEqual(drainTimeMs(readAs(of, environmentOf(of))));
    expect(deploymentOf(of).spec?.strategy?.rollingUpdate).toEqual({ maxSurge: 1, maxUnavailable: 0 });
  });

  test.each(processes)('the %s is asked at the ports where it listens, and restarted for its event loop only', (of) => {
    const settings = readAs(of, environmentOf(of)) as Record<string, number>;
    const ports =
      of === 'api' ? { http: settings.API_PORT, admin: settings.ADMIN_PORT } : { health: settings.WORKER_PORT };
    const declared = (containerOf(of).ports ?? []).map(({ name, containerPort }) => [name, containerPort]);
    expect(Object.fromEntries(declared)).toEqual(ports);
    const { startupProbe, livenessProbe, readinessProbe } = containerOf(of);
    const pathOf = (probe: IProbe | undefined) => {
      expect(Object.keys(ports)).toContain(probe?.httpGet?.port);
      return probe?.httpGet?.path;
    };
    expect([startupProbe, livenessProbe, readinessProbe].map(pathOf)).toEqual(['/startupz', '/livez', '/readyz']);
    expect(deploymentOf(of).spec!.template.metadata?.annotations).toMatchObject({
      'prometheus.io/port': String(of === 'api' ? settings.ADMIN_PORT : settings.WORKER_PORT),
      'prometheus.io/path': '/metrics',
    });
  });

  test.each(processes)('the %s is left to wait for Redis for longer than Kubernetes backs off for', (of) => {
    const { periodSeconds = 10, failureThreshold = 3 } = containerOf(of).startupProbe!;
    expect(periodSeconds * failureThreshold).toBeGreaterThan(600);
  });

  test('a worker that stands still is left the minute in which it ends by itself', () => {
    const { periodSeconds = 10, failureThreshold = 3 } = containerOf('worker').livenessProbe!;
    expect(periodSeconds * failureThreshold).toBeGreaterThan(60);
  });

  test.each(processes)('the %s may do nothing on its node and ask Kubernetes nothing', (of) => {
    expect(podOf(of)).toMatchObject({
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
    });
    expect(containerOf(of).securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });
});

const built = kustomize(deployed(OVERLAY));
if (!built) console.warn('Neither kustomize nor kubectl is installed: what the overlay becomes is not tested.');

(built ? describe : describe.skip)('deploy/kubernetes/overlays/example-production, built', () => {
  const find = (kind: string, name: string) =>
    built!.find((manifest) => manifest.kind === kind && manifest.metadata.name.startsWith(name));

  test('is what the schemas allow', () => {
    expect(built!.flatMap(faultsOf)).toEqual([]);
  });

  test('runs API and worker of one release', () => {
    const images = processes.map((of) => {
      const deployment = find('Deployment', `coordinator-${of}`) as unknown as IDeployment;
      return deployment.spec!.template.spec!.containers[0]!.image;
    });
    const [, release] = images[0]!.split(':');
    expect(images).toEqual([
      `registry.example.com/coordinator-api:${release}`,
      `registry.example.com/coordinator-worker:${release}`,
    ]);
  });

  test('gives the processes ConfigMaps whose names follow their content', () => {
    const worker = JSON.stringify(find('Deployment', 'coordinator-worker'));
    for (const name of ['coordinator', 'coordinator-worker']) {
      const map = built!.find(
        ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.replace(/-\w{10}$/, '') === name,
      );
      expect(map).toMatchObject({ data: configMap(name.replace(/^coordinator-/, '')) });
      expect(worker).toContain(`"configMapRef":{"name":"${map!.metadata.name}"}`);
    }
  });

  test('scales workers between two and what the overlay says, by its own query', () => {
    expect(find('ScaledObject', 'coordinator-worker')).toMatchObject({
      spec: {
        scaleTargetRef: { name: 'coordinator-worker' },
        minReplicaCount: 2,
        maxReplicaCount: 20,
        triggers: [{ metadata: { query: 'max(coordinator_queue_depth{namespace="coordinator"})' } }],
      },
    });
    expect(find('Deployment', 'coordinator-worker')).not.toHaveProperty('spec.replicas');
  });

  test('lets the processes reach one Redis, and nothing private beside it but names and telemetry', () => {
    const { spec } = find('NetworkPolicy', 'coordinator-egress') as unknown as { spec: { egress: { to: object[] }[] } };
    expect(spec.egress[1]).toEqual({
      to: [{ ipBlock: { cidr: '10.20.30.0/28' } }],
      ports: [{ protocol: 'TCP', port: 6379 }],
    });
    for (const of of processes) {
      const deployment = find('Deployment', `coordinator-${of}`) as unknown as IDeployment;
      expect(deployment.spec!.template.metadata!.labels).toMatchObject({ 'app.kubernetes.io/part-of': 'coordinator' });
    }
  });
});

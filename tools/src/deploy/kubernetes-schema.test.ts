import { expect, test } from '@jest/globals';
import { faultsOf, type Manifest } from './kubernetes-schema.ts';

const deployment = (container: object): Manifest =>
  ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'api', labels: { any: 'label' } },
    spec: {
      selector: { matchLabels: { any: 'label' } },
      template: { metadata: { labels: { any: 'label' } }, spec: { containers: [{ name: 'api', ...container }] } },
    },
  }) as Manifest;

test('a manifest that its schema allows has no faults, whatever its labels', () => {
  expect(faultsOf(deployment({ image: 'api', livenessProbe: { httpGet: { path: '/livez', port: 'http' } } }))).toEqual(
    [],
  );
});

test('a field of the wrong type is a fault', () => {
  expect(faultsOf(deployment({ livenessProbe: { periodSeconds: 'ten' } }))).toEqual([
    expect.stringContaining('periodSeconds'),
  ]);
});

test('a field that the kind does not know is a fault, because it would be dropped', () => {
  expect(faultsOf(deployment({ livenesProbe: {} }))).toEqual([
    '/spec/template/spec/containers/0/livenesProbe is no field that Deployment knows',
  ]);
  expect(faultsOf({ ...deployment({}), sepc: {} } as Manifest)).toEqual(['/sepc is no field that Deployment knows']);
});

test('kinds of KEDA have a schema, too', () => {
  const scaled = { apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject', metadata: { name: 'worker' } };
  const spec = { scaleTargetRef: { name: 'worker' }, triggers: [{ type: 'prometheus', metadata: { any: 'thing' } }] };
  expect(faultsOf({ ...scaled, spec } as Manifest)).toEqual([]);
  expect(faultsOf({ ...scaled, spec: { ...spec, minReplicas: 2 } } as Manifest)).toEqual([
    '/spec/minReplicas is no field that ScaledObject knows',
  ]);
});

test('a kind that there is not is a fault', () => {
  expect(faultsOf({ apiVersion: 'v1', kind: 'Deployment', metadata: { name: 'api' } })).toEqual([
    'v1 has no kind Deployment',
  ]);
});

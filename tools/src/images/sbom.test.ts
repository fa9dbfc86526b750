import { expect, test } from '@jest/globals';
import { billOfMaterials } from './sbom.ts';

const APP = { name: '@coordinator/coordinator-api', version: '1.2.3' };

/** What npm prints about a folder at a moment. */
function printed(folder: string, timestamp: string, serialNumber: string): string {
  return JSON.stringify({
    bomFormat: 'CycloneDX',
    serialNumber,
    metadata: { timestamp, component: { type: 'library', name: folder, version: '0.0.0', purl: 'pkg:npm/root@0.0.0' } },
    components: [{ name: 'stripe', version: '1.2.3', purl: 'pkg:npm/%40coordinator/extension-stripe@1.2.3' }],
  });
}

test('the bill of an app is the same wherever and whenever it is made', () => {
  const one = billOfMaterials(printed('a', '2026-01-01T00:00:00Z', 'urn:uuid:1'), APP);
  const other = billOfMaterials(printed('b', '2026-02-02T00:00:00Z', 'urn:uuid:2'), APP);
  expect(one).toEqual(other);
  expect(one).toMatchObject({
    serialNumber: expect.stringMatching(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/),
    metadata: { component: { type: 'application', ...APP, purl: 'pkg:npm/%40coordinator/coordinator-api@1.2.3' } },
    components: [{ name: '@coordinator/extension-stripe' }],
  });
});

test('another content has another serial number', () => {
  const text = printed('a', '2026-01-01T00:00:00Z', 'urn:uuid:1');
  expect(billOfMaterials(text, APP)).not.toMatchObject({
    serialNumber: (billOfMaterials(text, { ...APP, version: '1.2.4' }) as { serialNumber: string }).serialNumber,
  });
});

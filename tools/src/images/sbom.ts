import { createHash } from 'node:crypto';

/** What is read and written of a bill of materials: https://cyclonedx.org/docs/1.5/json */
interface Bill {
  readonly metadata: { readonly timestamp: string; readonly component: object };
  readonly components: readonly { readonly purl: string }[];
}

/**
 * Makes what `npm sbom` prints the bill of one app: named after the app, packages of a workspace by their names instead of
 * their folders (ours for Stripe would pass for Stripe's own), and with a serial number that comes from the content instead
 * of the clock, so that the same packages give the same bill.
 */
export function billOfMaterials(printed: string, app: { name: string; version: string }): object {
  const { metadata, components, ...bill } = JSON.parse(printed) as Bill;
  const root = {
    ...metadata.component,
    ...{ type: 'application', name: app.name, version: app.version, purl: purlOf(app) },
  };
  const named = components.map((component) => ({ ...component, name: nameOf(component.purl) }));
  const content = {
    ...bill,
    serialNumber: undefined,
    metadata: { ...metadata, timestamp: undefined, component: root },
    components: named,
  };
  return { ...content, serialNumber: `urn:uuid:${uuidOf(JSON.stringify(content))}` };
}

function purlOf({ name, version }: { name: string; version: string }): string {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

function nameOf(purl: string): string {
  return decodeURIComponent(/^pkg:npm\/(.+)@/.exec(purl)?.[1] ?? purl);
}

/** A UUID of version 8, which leaves its bits to whoever makes it: https://www.rfc-editor.org/rfc/rfc9562#section-5.8 */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}

import { personalDataOf, type Registry } from '@coordinator/extension';
import { markdownTable } from './markdown-table.ts';

interface Place {
  readonly kind: 'task' | 'event';
  readonly name: string;
  readonly schema: Parameters<typeof personalDataOf>[0];
}

/** What all extensions of a registry say about personal data, as a page of Markdown. */
export function personalDataReport({ extensions }: Registry): string {
  const places = new Map<string, Place>();
  for (const { tasks, events } of extensions) {
    for (const { name, payload } of Object.values(tasks)) {
      places.set(`task ${name}`, { kind: 'task', name, schema: payload });
    }
    for (const { name, data } of events) places.set(`event ${name}`, { kind: 'event', name, schema: data });
  }
  const read = [...places.values()]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ schema, ...place }) => ({ ...place, fields: personalDataOf(schema).fields }));
  const rows = read.flatMap(({ kind, name, fields }) =>
    fields.map(({ path, type, retirement }) => [kind, code(name), code(path || 'all of it'), type, retirement]),
  );
  const without = read.filter(({ fields }) => fields.length === 0).map(({ name }) => code(name));
  return `# Personal data

Written by \`npm run --silent personal-data\` from what the extensions declare; a test holds both together. Do not edit: run
it again.

${markdownTable(['Kind', 'Name', 'Field', 'Type', 'Retirement'], rows)}

Everything else in payloads and events is marked as no personal data. Without any: ${without.join(', ') || 'none'}.

Types are the \`pii_types\` of edX, and the retirement says who has the data erased
([OEP-30](https://open-edx-proposals.readthedocs.io/en/latest/oep-0030-arch-pii-markup-and-auditing.html)):

- \`local_api\`: \`npm run erase\`, because it goes nowhere else.
- \`consumer_api\`: that, and the service of the same platform that it is passed on to, by its way to retire a user.
- \`third_party\`: that, and somebody else's service that it is passed on to, by its own rules.
- \`retained\`: nobody; it is kept on purpose, for legal reasons.

A payload is dropped when its job ends, that of a dead letter when its record expires, 30 days later by default.
[Protect personal data](../guides/protect-personal-data.md) tells the rest.`;
}

function code(text: string): string {
  return `\`${text}\``;
}

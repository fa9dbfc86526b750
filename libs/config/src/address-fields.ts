import { isIP } from 'node:net';
import { commaSeparated, field, FieldFault, type Field } from './field.ts';

/** Ranges of addresses in CIDR notation, comma separated: `10.0.0.0/8,fd00::/8`. Required: add `.optional()` or a default. */
export function addressRanges(): Field<string[]> {
  return field((text) => {
    const ranges = commaSeparated(text);
    if (!ranges.every(isRange)) {
      throw new FieldFault('must be ranges of addresses such as 10.0.0.0/8 or fd00::/8, separated by commas');
    }
    return ranges;
  });
}

function isRange(text: string): boolean {
  const [, address = '', bits] = /^([\d.]+|[\da-f:.]+)\/(\d{1,3})$/i.exec(text) ?? [];
  const version = isIP(address);
  return version !== 0 && Number(bits) <= (version === 4 ? 32 : 128);
}

import { ConfigError, isServiceUrl } from '@coordinator/config';
import { readBaseUrl, type Destinations } from '@coordinator/downstream';
import type { Extension } from './extension.ts';

/**
 * The services that extensions call: the values of the serviceUrl() variables in their configuration.
 *
 * @throws ConfigError with all variables that lead where no call ever goes
 */
export function readDestinations(extensions: readonly Extension[], config: unknown): Map<Extension, Destinations> {
  const faults: string[] = [];
  const values = config as Readonly<Record<string, unknown>>;
  const read = new Map(
    extensions.map((extension) => {
      const urls = new Map<string, URL>();
      for (const [variable, field] of Object.entries(extension.config.shape)) {
        const text = isServiceUrl(field) ? values[variable] : undefined;
        if (typeof text !== 'string') continue;
        try {
          urls.set(variable, readBaseUrl(text, variable));
        } catch (error) {
          faults.push((error as Error).message);
        }
      }
      return [extension, { extension: extension.name, urls }];
    }),
  );
  if (faults.length > 0) throw new ConfigError(faults);
  return read;
}

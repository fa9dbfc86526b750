import type { Extension } from './extension.ts';
import { RegistryError } from './registry.ts';

/**
 * The installed extensions and those of the named packages, which export theirs as `extension`.
 *
 * @throws RegistryError with all packages that cannot be loaded or export none
 */
export async function loadExtensions(
  installed: readonly Extension[],
  packageNames: readonly string[],
): Promise<readonly Extension[]> {
  const faults: string[] = [];
  const loaded: Extension[] = [];
  for (const name of packageNames) {
    try {
      const { extension } = (await import(name)) as { extension?: Extension };
      if (extension) loaded.push(extension);
      else faults.push(`the package "${name}" of COORDINATOR_EXTENSIONS does not export "extension"`);
    } catch (error) {
      const reason = error instanceof Error ? error.message.split('\n')[0] : 'unknown';
      faults.push(`the package "${name}" of COORDINATOR_EXTENSIONS cannot be loaded: ${reason}`);
    }
  }
  if (faults.length > 0) throw new RegistryError(faults);
  return [...installed, ...loaded];
}

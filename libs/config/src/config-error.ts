/**
 * The environment cannot be used. Carries every fault at once, so that one failed start is enough to mend them all.
 * Neither the message nor the faults contain the value of a variable.
 */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** Stable code for logs and exit reports. */
  readonly code = 'COORD_CONFIG';

  /** @param faults one sentence per fault, each beginning with the variable's name */
  constructor(readonly faults: readonly string[]) {
    const lines = faults.map((fault) => `  - ${fault}`).join('\n');
    super(
      `The configuration has ${faults.length} fault(s). Set these environment variables and start again:\n${lines}`,
    );
  }
}

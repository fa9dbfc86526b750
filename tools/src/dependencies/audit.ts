import { spawnSync } from 'node:child_process';

/** How the audit ended: known vulnerabilities, a line each, or why it could not be asked for. */
export type AuditResult = { readonly faults: readonly string[] } | { readonly skipped: string };

/** What `npm audit --json` prints: a report of version 2, or a message where the registry did not give one. */
interface Printed {
  readonly auditReportVersion?: number;
  readonly vulnerabilities?: Readonly<Record<string, { severity: string; range: string; via: readonly Advisory[] }>>;
  readonly message?: string;
}

/** A package that brings the fault with it is named by a string only. */
type Advisory = string | { readonly title: string; readonly url: string };

const SEVERE = new Set(['high', 'critical']);

/** Asks the registry for vulnerabilities of what is locked in `folder`; those below `high` are let pass. */
export function audit(folder: string): AuditResult {
  const { stdout, error } = spawnSync('npm', ['audit', '--json', '--loglevel=silent'], {
    cwd: folder,
    encoding: 'utf8',
    // Whoever is offline shall not wait for minutes.
    env: { ...process.env, NPM_CONFIG_FETCH_RETRIES: '0', NPM_CONFIG_FETCH_TIMEOUT: '30000' },
  });
  return error ? { skipped: error.message } : readAudit(stdout);
}

/** Reads what `npm audit --json` has printed. */
export function readAudit(text: string): AuditResult {
  let printed: Printed;
  try {
    printed = JSON.parse(text) as Printed;
  } catch {
    return { skipped: 'npm audit printed no report' };
  }
  if (printed.auditReportVersion === undefined) return { skipped: printed.message ?? 'npm audit printed no report' };
  const severe = Object.entries(printed.vulnerabilities ?? {}).filter(([, { severity }]) => SEVERE.has(severity));
  return {
    faults: severe.map(([name, { severity, range, via }]) => {
      const reasons = via.map((advisory) =>
        typeof advisory === 'string' ? advisory : `${advisory.title} ${advisory.url}`,
      );
      return `${name} ${range} (${severity}): ${reasons.join('; ')}`;
    }),
  };
}

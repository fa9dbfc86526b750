/** Tokens for development: known to everybody, so never for production. */
export const DEVELOPMENT_TOKENS = {
  API_TOKENS: 'shop=dev-token',
  ADMIN_TOKENS: 'dev=dev-admin-token:read+operate+payload',
} as const;

/** What a process needs from the shell it is started in; the rest of it would make a test depend on somebody's machine. */
const INHERITED = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS', 'CI'];

/**
 * What every process of a stack is started with: what it needs of the shell, development tokens, traces to the sandbox, and
 * `env`, which wins.
 */
export function stackEnvironment(sandboxPort: number, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const inherited = INHERITED.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]));
  const traces = env.OTEL_EXPORTER_OTLP_ENDPOINT ? {} : tracesTo(`http://127.0.0.1:${sandboxPort}/__otlp`);
  return { ...Object.fromEntries(inherited), ...DEVELOPMENT_TOKENS, ...traces, ...env };
}

/** Settings that send all traces to an OTLP endpoint, soon. */
export function tracesTo(endpoint: string): NodeJS.ProcessEnv {
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_METRICS_EXPORTER: 'none',
    // Somebody looks at a trace as soon as the job is done.
    OTEL_BSP_SCHEDULE_DELAY: '250',
  };
}

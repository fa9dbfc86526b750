export { createLogger, type LoggerOptions } from './create-logger.ts';
export { flushLogs } from './log-output.ts';
export { silentLogger, type LogFields, type Logger, type LogLevel, type LogMethod } from './logger.ts';
export { maskText } from './mask.ts';
export { loggable, pii, piiPaths, type PiiKind } from './pii.ts';

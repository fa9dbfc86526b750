export { createLogger, type LoggerOptions } from './create-logger.ts';
export { hidingValues } from './hidden-values.ts';
export { flushLogs } from './log-output.ts';
export { silentLogger, type LogFields, type Logger, type LogLevel, type LogMethod } from './logger.ts';
export { maskText } from './mask.ts';
export { personalDataOf, personalValues, type PersonalData, type PersonalField } from './personal-data.ts';
export { noPii, pii, type PiiMark, type PiiRetirement, type PiiType } from './pii.ts';
export { schemaFaults } from './schema-faults.ts';

import { pino, type DestinationStream } from 'pino';
import { currentRequest } from './request-context.ts';
import { permittedFields, type LogFields } from './fields.ts';

/** How much is logged. */
export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Writes one JSON line per call to stderr. `message` is a fixed text; facts go into `fields`. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds these facts to every line. */
  child(fields: LogFields): Logger;
}

/** What a logger says of itself, and where it writes. */
export interface LoggerOptions {
  readonly service: string;
  /** Default `info`. */
  readonly level?: LogLevel;
  /** Default: stderr, synchronously, so that a crash loses nothing. */
  readonly destination?: DestinationStream;
}

/** Makes the logger of a process. */
export function createLogger({ service, level = 'info', destination }: LoggerOptions): Logger {
  const sink = pino(
    {
      level,
      base: { service },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination ?? pino.destination({ fd: 2, sync: true }),
  );
  const build = (bound: LogFields): Logger => {
    const write =
      (method: Exclude<LogLevel, 'silent'>) =>
      (message: string, fields: LogFields = {}): void => {
        if (sink.isLevelEnabled(method))
          sink[method](permittedFields({ ...currentRequest(), ...bound, ...fields }), message);
      };
    return {
      debug: write('debug'),
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
      child: (fields) => build({ ...bound, ...fields }),
    };
  };
  return build({});
}

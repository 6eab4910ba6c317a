import { type Logger, pino } from 'pino';

/** JSON lines on stderr; fields that may hold a secret are cut out whatever writes them. */
export function createLog(level: LogLevel): Logger {
  return pino(
    {
      level,
      base: null,
      serializers: { err: errorInLog },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: [
        'password',
        'token',
        '*.password',
        '*.token',
        'req.headers.authorization',
        'req.headers.cookie',
      ],
    },
    pino.destination({ dest: 2, sync: true }),
  );
}

/** Of an error no other fields: a client's error brings the command that failed, and with it the data of jobs. */
function errorInLog(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { name, message, stack } = error;
  const code = 'code' in error ? error.code : undefined;
  const cause = error.cause === undefined ? undefined : errorInLog(error.cause);
  return { type: name, message, stack, code, cause };
}

export type LogLevel = (typeof LOG_LEVELS)[number];

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;

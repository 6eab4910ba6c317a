import { getRequestListener } from '@hono/node-server';
import { z } from 'zod';
import { createApp } from './app.js';
import { ConfigError, loadConfig } from './config/config.js';
import type { CreateConsole } from './console-options.js';
import { grantsSchema, ROLES } from './model/role.js';
import { createLog } from './process/log.js';
import { OwnHealth } from './process/own-health.js';
import { startConsole } from './start-console.js';

const user = z.object({
  name: z.string().min(1).max(100),
  role: z.enum(ROLES),
  grants: grantsSchema.optional(),
});

/** See `CreateConsole`. */
export const createConsole: CreateConsole = async ({ authenticate, redis, settings, ...more }) => {
  // It listens where the application does, and goes by any of its names.
  const given = { ...settings, ...more, host: '0.0.0.0' };
  // These are the application's own: where it listens and how it logs.
  const { HOST: _host, PORT: _port, LOG_LEVEL: _level, ...environment } = process.env;
  const config = loadConfig(redis === undefined ? {} : { redis }, environment, given);
  if (!authenticate && config.tokens.length === 0)
    throw new ConfigError([
      'authenticate: is missing, and settings.tokens is empty: whoever reaches the application would be an admin; give one of them',
    ]);
  const other = (['openid', 'headerAuth', 'assertionAuth'] as const).find((way) => config[way] !== null);
  if (authenticate && other)
    throw new ConfigError([
      `${other}: has no use beside authenticate, which says who is there; leave one out`,
    ]);
  const log = createLog(config.logLevel);
  const health = new OwnHealth({
    now: () => Date.now(),
    warn: (message, err) => log.error({ err }, message),
  });
  const { deps, stop } = await startConsole(config, log, health);
  const app = createApp({
    config,
    deps,
    noteFault: (part, error) => health.note(part, error),
    authenticate: authenticate
      ? async (request) => {
          const known = await authenticate(request);
          return known === null ? null : user.parse(known);
        }
      : null,
  });
  const listener = getRequestListener(app.fetch);
  return {
    fetch: async (request, env) => app.fetch(request, env),
    listener: async (request, response) => void (await listener(request, response)),
    async close() {
      deps.live.close();
      await stop();
    },
  };
};

import type { Server } from 'node:http';
import { serve } from '@hono/node-server';
import { createApp } from './app.js';
import { type Config, ConfigError } from './config/config.js';
import { unwatchedInWords } from './config/instances-of.js';
import { createLog } from './process/log.js';
import { installLastResort, OwnHealth } from './process/own-health.js';
import { startConsole } from './start-console.js';

/** Who sends headers for longer holds a connection and nothing else; bodies have a time of their own. */
const HEADERS_WITHIN_MS = 20_000;
/** Longest of all requests: the import of what was parked. */
const REQUEST_WITHIN_MS = 3_600_000;
/** Connections that don't end by themselves are cut after this. */
const CLOSE_WITHIN_MS = 3_000;

/**
 * Serves the console until SIGINT or SIGTERM. SIGHUP reads the configuration again, for who may come in, where no terminal sends it.
 * @returns 0 after an orderly end, 1 when the port can't be had.
 */
export async function serveConsole(config: Config, reload: () => Config): Promise<number> {
  // What the console keeps is for its own user: databases, their logs, keys, copies.
  process.umask(0o077);
  const log = createLog(config.logLevel);
  if (config.unwatched) log.warn(unwatchedInWords(config.unwatched));
  const now = (): number => Date.now();
  const health = new OwnHealth({ now, warn: (message, err) => log.error({ err }, message) });
  const { deps, admitBy, stop } = await startConsole(config, log, health);
  // From here on: an error before that is one of the start, which ends with it.
  const removeLastResort = installLastResort({
    note: (part, error) => health.note(part, error),
    now,
    write: (line) => process.stderr.write(line),
    exit: (code) => process.exit(code),
  });
  const renew = async (): Promise<void> => {
    try {
      await admitBy(reload());
      log.info('The configuration has been read again: tokens and roles are as it says now.');
    } catch (error) {
      const problems = error instanceof ConfigError ? error.problems : ['it could not be read'];
      log.error({ problems }, 'The configuration can not be read again: who may come in stays as it was.');
    }
  };
  // At a terminal it says that the terminal is gone.
  if (!process.stdout.isTTY) process.on('SIGHUP', renew);
  const app = createApp({
    config,
    deps,
    noteFault: (part, error) => health.note(part, error),
  });
  try {
    return await untilStopped(config, app.fetch, () => deps.live.close());
  } finally {
    process.off('SIGHUP', renew);
    await stop();
    removeLastResort();
  }
}

/** Listens, says where, and waits for the signal to end. */
function untilStopped(
  config: Config,
  fetch: Parameters<typeof serve>[0]['fetch'],
  endStreams: () => void,
): Promise<number> {
  return new Promise((resolve) => {
    const serverOptions = {
      headersTimeout: HEADERS_WITHIN_MS,
      requestTimeout: REQUEST_WITHIN_MS,
      connectionsCheckingInterval: HEADERS_WITHIN_MS / 4,
    };
    const server = serve({ fetch, hostname: config.host, port: config.port, serverOptions }, ({ port }) => {
      process.stdout.write(`Spillway: http://${shownHost(config.host)}:${port}\n`);
    }) as Server;
    server.once('error', (error: NodeJS.ErrnoException) => {
      process.stderr.write(`spillway: ${whyNotListening(error, config)}\n`);
      resolve(1);
    });
    const end = (): void => {
      endStreams();
      server.close(() => resolve(0));
      server.closeIdleConnections();
      setTimeout(() => server.closeAllConnections(), CLOSE_WITHIN_MS).unref();
    };
    process.once('SIGINT', end);
    process.once('SIGTERM', end);
  });
}

function whyNotListening(error: NodeJS.ErrnoException, config: Config): string {
  if (error.code === 'EADDRINUSE')
    return `port: ${config.port} on ${config.host} is in use; give another with --port`;
  if (error.code === 'EACCES')
    return `port: ${config.port} needs more rights; give one above 1023 with --port`;
  if (error.code === 'EADDRNOTAVAIL') return `host: ${config.host} is not an address of this machine`;
  return `can't listen on ${config.host}:${config.port}: ${error.code ?? error.message}`;
}

function shownHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host === '0.0.0.0' ? '127.0.0.1' : host;
}

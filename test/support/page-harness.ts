import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve } from '@hono/node-server';
import { createApp } from '../../server/app.js';
import type { AppDeps } from '../../server/app-deps.js';
import { hashToken } from '../../server/auth/tokens.js';
import { type Config, loadConfig } from '../../server/config.js';
import { runLever } from '../../server/levers/run.js';
import { openStore } from '../../server/store/open-store.js';
import { createWatch } from '../../server/watch/create-watch.js';
import { listJobs, readJob } from '../../server/watch/jobs.js';

/** The whole console in this process, on a port of its own. */
export interface PageHarness {
  readonly url: string;
  readonly deps: AppDeps;
  stop(): Promise<void>;
}

export interface HarnessOptions {
  readonly redisUrl: string;
  /** Role → token. None: whoever comes is a local admin. */
  readonly tokens?: Readonly<Partial<Record<'viewer' | 'operator' | 'admin', string>>>;
  readonly jobDataRole?: Config['jobDataRole'];
  /** Changes the dependencies before the routes are built. */
  readonly adjust?: (deps: AppDeps) => AppDeps;
}

let nextId = 0;

export async function startPageHarness(options: HarnessOptions): Promise<PageHarness> {
  const directory = await mkdtemp(join(tmpdir(), 'spillway-pages-'));
  const tokens = Object.entries(options.tokens ?? {}).map(
    ([role, token]) => `${role}:${role}:${hashToken(token ?? '')}`,
  );
  const config = loadConfig(
    { redis: options.redisUrl, data: directory, port: '0' },
    tokens.length > 0 ? { SPILLWAY_TOKENS: tokens.join(',') } : {},
  );
  const now = Date.now;
  const log = { info: () => undefined, warn: () => undefined };
  const watch = createWatch({
    instances: config.instances.map((instance) => ({
      ...instance,
      pollIntervalMs: 300,
      cpuBudgetRatio: 0.5,
    })),
    thresholds: config.thresholds,
    now,
    log,
  });
  const store = await openStore(directory);
  const newId = (): string => {
    nextId += 1;
    return `action-${nextId}`;
  };
  const leverDeps = { watch, audit: store.audit, now, newId, warn: () => undefined };
  const deps: AppDeps = {
    watch,
    audit: store.audit,
    idempotency: store.idempotency,
    runLever: (actor, request) => runLever(leverDeps, actor, request),
    listJobs: (instance, queueId, query) => listJobs(watch, instance, queueId, query),
    readJob: (instance, queueId, jobId) => readJob(watch, instance, queueId, jobId),
    now,
    newId,
    thresholds: config.thresholds,
    jobDataRole: options.jobDataRole ?? config.jobDataRole,
    storeProblem: store.problem,
    groups: config.groups,
    hasSignIn: config.tokens.length > 0,
    version: 'test',
  };
  const errors: unknown[] = [];
  const app = createApp({
    config,
    deps: options.adjust?.(deps) ?? deps,
    secret: Buffer.alloc(32, 7),
    logError: (message, error) => {
      errors.push(error);
      console.error(message, error);
    },
  });
  const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 });
  await new Promise<void>((resolve) => server.once('listening', () => resolve()));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    deps,
    async stop() {
      if ('closeAllConnections' in server) server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await watch.stop();
      store.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

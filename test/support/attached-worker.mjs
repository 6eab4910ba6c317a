// A process of an application: workers, with the agent where the plan says so. Started by attached-process.ts with its
// plan as JSON; talks by IPC. Uses the built agent, as an application would.
import { existsSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import process from 'node:process';

import { Cluster } from 'ioredis';

const plan = JSON.parse(process.argv[2] ?? '{}');
const wallClock = Date.now;
let clockAheadMs = plan.clockAheadMs ?? 0;
Date.now = () => wallClock() + clockAheadMs;
const { attach, health } = await import(new URL('../../dist/agent/index.js', import.meta.url).href);
// Of hundreds of such processes: by import, file by file, BullMQ takes twice the CPU. register.test.ts has it by both ways.
const require = createRequire(import.meta.url);
const makers = { 5: () => require('bullmq-v5'), 6: () => require('bullmq') };

const problems = [];
let isHanging = false;
let slowdown = 1;
let lazyRuns = 0;

async function work(job, settings, signal) {
  const { ms = settings.jobMs ?? 5, fail = false, blockMs = 0 } = job.data ?? {};
  if (blockMs > 0) block(blockMs);
  if (isHanging || job.data?.hang) await new Promise(() => setInterval(() => undefined, 60_000));
  await new Promise((resolve) => setTimeout(resolve, ms * slowdown));
  const { untilFile } = job.data ?? {};
  while (untilFile && !existsSync(untilFile)) await new Promise((resolve) => setTimeout(resolve, 20));
  if (fail || settings.failing) throw new Error('failed on purpose');
  return signal ? 'done' : 'done';
}

// As a query builder: it begins when it is waited for, each time anew.
function lazily(job, settings) {
  const begin = (resolve, reject) => {
    lazyRuns += 1;
    work(job, settings).then(resolve, reject);
  };
  return new Proxy({}, { has: () => true, get: (_, key) => (key === 'then' ? begin : undefined) });
}

function block(ms) {
  const until = Date.now() + ms;
  while (Date.now() < until);
}

// The ways by which BullMQ 6 reaches Redis, beside the options of ioredis 6.
const clients = {
  ioredis5: async (port) => new (await import('ioredis-v5')).Redis({ port, maxRetriesPerRequest: null }),
  'node-redis': async (port) => {
    const { createClient } = await import('redis');
    const client = createClient({ url: `redis://127.0.0.1:${port}` });
    client.on('error', () => undefined);
    return require('bullmq').createNodeRedisClient(client);
  },
  bun: async (port) =>
    require('bullmq').createBunRedisClient(new globalThis.Bun.RedisClient(`redis://127.0.0.1:${port}`)),
  glide: async (port) => {
    const { GlideClient, Logger } = await import('@valkey/valkey-glide');
    Logger.setLoggerConfig('off');
    const client = await GlideClient.createClient({ addresses: [{ host: '127.0.0.1', port }] });
    return require('bullmq').createValkeyGlideClient(client);
  },
};

const entries = [];
for (const settings of plan.workers) {
  for (let i = 0; i < (settings.count ?? 1); i += 1) {
    const { Worker } = await makers[settings.version ?? 6]();
    const connection = plan.cluster
      ? new Cluster(plan.cluster, { redisOptions: { maxRetriesPerRequest: null } })
      : settings.client
        ? await clients[settings.client](settings.port ?? plan.port)
        : plan.sentinels
          ? { sentinels: plan.sentinels, name: plan.master, maxRetriesPerRequest: null }
          : { host: '127.0.0.1', port: settings.port ?? plan.port, maxRetriesPerRequest: null };
    const processor =
      settings.processorFile ??
      ((job, _token) => (job.data?.lazy ? lazily(job, settings) : work(job, settings)));
    const worker = new Worker(settings.queue, processor, {
      connection,
      concurrency: settings.concurrency ?? 1,
      ...settings.options,
    });
    const entry = { worker, errors: 0, oom: 0, started: 0, completed: 0, attached: null, resumed: 0 };
    worker.on('error', (error) => {
      entry.errors += 1;
      if (/OOM/.test(error.message)) entry.oom += 1;
    });
    worker.on('active', () => {
      entry.started += 1;
    });
    worker.on('completed', () => {
      entry.completed += 1;
    });
    worker.on('failed', () => undefined);
    if (settings.attach) {
      const { connectTo, ...options } = settings.attach;
      const { Redis } = await import('ioredis');
      const its = settings.agent ? await import(`./agent-${settings.agent}.mjs`) : { attach };
      entry.attached = its.attach(worker, {
        ...options,
        ...(connectTo ? { connection: new Redis({ port: connectTo, lazyConnect: true }) } : {}),
        onProblem: (problem) => {
          problems.push(problem);
          if (settings.problemFails === 'throws') throw new Error('thrown by onProblem');
          return settings.problemFails ? Promise.reject(new Error('rejected by onProblem')) : undefined;
        },
      });
    }
    entries.push(entry);
  }
}

const state = () =>
  entries.map(({ worker, errors, oom, started, completed, attached }) => ({
    id: attached?.id ?? null,
    concurrency: worker.concurrency,
    isPaused: worker.isPaused(),
    limiter: worker.opts.limiter ?? null,
    errors,
    oom,
    started,
    completed,
    listeners: worker.listenerCount('error'),
  }));

const orders = {
  state: () => ({ workers: state(), problems, lazyRuns }),
  health: (options) => health(options),
  hang: () => {
    isHanging = true;
  },
  slow: ({ factor }) => {
    slowdown = factor;
  },
  block: ({ ms }) => block(ms),
  setConcurrency: ({ value }) => {
    for (const { worker } of entries) worker.concurrency = value;
  },
  // A worker that is of another shape than the agent knows: it takes no concurrency any more.
  stiffen: () => {
    for (const { worker } of entries) {
      const { concurrency } = worker;
      const refuse = () => {
        throw new Error('concurrency is fixed here');
      };
      Object.defineProperty(worker, 'concurrency', {
        configurable: true,
        get: () => concurrency,
        set: refuse,
      });
    }
  },
  pause: async () => {
    for (const { worker } of entries) await worker.pause(true);
  },
  detach: async () => {
    for (const { attached } of entries) await attached?.detach();
  },
  attachAgain: ({ options }) => {
    for (const entry of entries) entry.attached = attach(entry.worker, options ?? {});
  },
  close: async () => {
    await Promise.all(entries.map(({ worker }) => worker.close()));
  },
  forget: () => process.disconnect(),
  // Every descriptor that the process may have; the shell that started it has set how many these are.
  exhaust: () => {
    for (;;) {
      try {
        openSync('/dev/null', 'r');
      } catch (error) {
        return error.code;
      }
    }
  },
  // The clock on the wall, for everything in this process; timers go on as they do when an administrator sets a clock.
  setClock: ({ aheadMs }) => {
    clockAheadMs = aheadMs;
  },
  usage: () => ({
    cpuMs: (process.cpuUsage().user + process.cpuUsage().system) / 1000,
    atMs: performance.now(),
    resources: process.getActiveResourcesInfo().length,
    listeners: entries.reduce(
      (sum, { worker }) =>
        sum + worker.eventNames().reduce((all, name) => all + worker.listenerCount(name), 0),
      0,
    ),
  }),
};

process.on('message', async ({ serial, order, args }) => {
  const answer = await orders[order](args ?? {});
  if (process.connected) process.send({ serial, answer: answer ?? null });
});
process.on('disconnect', () => {
  // A test that wants to see whether the process ends by itself says `forget` first.
  if (!plan.mayOutlive) process.exit(0);
});
await Promise.all(entries.map(({ worker }) => worker.waitUntilReady()));
process.send({ ready: true, ids: entries.map(({ attached }) => attached?.id ?? null) });

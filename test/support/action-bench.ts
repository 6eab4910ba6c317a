import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { ForbiddenAttempts } from '../../server/actions/request.js';
import { type ActionDeps, runAction } from '../../server/actions/run.js';
import { createWatch } from '../../server/create-watch.js';
import type { ActionRequest, Outcome } from '../../server/model/action.js';
import type { AuditLog, AuditRecord } from '../../server/model/audit-record.js';
import { DEFAULT_THRESHOLDS } from '../../server/model/finding.js';
import type { Actor } from '../../server/model/role.js';
import type { QueueState } from '../../server/model/snapshot.js';
import { openStore } from '../../server/open-store.js';
import { MovedJobs } from '../../server/replay/load-sample.js';
import { openParkings } from '../../server/replay/parking/parkings.js';
import type { Watch } from '../../server/watch/watch.js';
import { startWorker, type WorkerOptions, type WorkerProcess } from './bullmq-process.js';
import { openBoth } from './bullmq-queues.js';
import { until } from './until.js';

interface KeptMeasurement {
  readonly id: string;
  readonly text: string;
  readonly isWarning: boolean;
}

/** An audit that is kept in memory, for looking into. */
interface MemoryAudit extends AuditLog {
  readonly records: readonly AuditRecord[];
  readonly measurements: readonly KeptMeasurement[];
}

function memoryAudit(): MemoryAudit {
  const records: AuditRecord[] = [];
  const measurements: KeptMeasurement[] = [];
  return {
    records,
    measurements,
    append: async (record) => void records.push(record),
    list: async () => [...records].reverse(),
    addMeasurement: async (id, { text, isWarning }) => void measurements.push({ id, text, isWarning }),
  };
}

/** A console without its pages: one watched Redis, and actions pulled as the API would. */
export interface ActionBench {
  readonly watch: Watch;
  readonly audit: MemoryAudit;
  readonly deps: ActionDeps;
  /** Pulls an action as an admin with a reason, unless said otherwise. */
  pull(action: string, request?: Partial<ActionRequest>, actor?: Partial<Actor>): Promise<readonly Outcome[]>;
  /** The same for one target. */
  pullOne(action: string, request?: Partial<ActionRequest>, actor?: Partial<Actor>): Promise<Outcome>;
  /** Waits until the watcher has seen the queue, and returns it. */
  seen(queueId: string, isRight?: (queue: QueueState) => boolean): Promise<QueueState>;
  stop(): Promise<void>;
}

export interface BenchOptions {
  readonly url?: string;
  readonly endpoint?: Parameters<typeof createWatch>[0]['instances'][number]['endpoint'];
  readonly queues?: readonly string[];
  readonly agentSecret?: string;
}

let nextId = 0;

export async function startBench(redis: OwnRedis, options: BenchOptions = {}): Promise<ActionBench> {
  const log = { info: () => undefined, warn: () => undefined };
  const directory = await mkdtemp(join(tmpdir(), 'spillway-bench-'));
  const store = await openStore(directory);
  const { typeThresholds } = store;
  const watch = createWatch({
    instances: [
      {
        name: 'default',
        endpoint: options.endpoint ?? { kind: 'single', url: options.url ?? redis.url },
        queues: options.queues ?? [],
        pollIntervalMs: 200,
        cpuBudgetRatio: 1,
        agentSecret: options.agentSecret ?? null,
        tenantField: null,
      },
    ],
    thresholds: DEFAULT_THRESHOLDS,
    now: Date.now,
    log,
    random: Math.random,
    slowThresholdMs: (instance, queueId, type) => typeThresholds.of(instance, queueId, type),
    newId: randomUUID,
    givenOrders: store.givenOrders,
    recordEvent: () => undefined,
  });
  const audit = memoryAudit();
  const warned: string[] = [];
  const parkings = await openParkings({
    directory,
    maxBytes: 256 * 1024 * 1024,
    watch,
    moved: new MovedJobs(),
    commands: { send: () => Promise.reject(new Error('there is no other console')), other: () => 'nobody' },
    isLeader: () => true,
    now: Date.now,
    newId: randomUUID,
    recordEvent: () => undefined,
    warn: (message) => void warned.push(message),
  });
  await parkings.onElected();
  const deps: ActionDeps = {
    watch,
    audit,
    typeThresholds,
    parkings,
    forbidden: new ForbiddenAttempts(),
    now: Date.now,
    newId: () => {
      nextId += 1;
      return `audit-${nextId}`;
    },
    warn: (message) => void warned.push(message),
  };
  const isLive = () => watch.snapshot('default')?.link.status === 'live';
  await until('the console reads Redis', isLive);
  const pull: ActionBench['pull'] = async (action, request = {}, actor = {}) => {
    // On a busy machine a read may have come late just now.
    await until('the console reads Redis', isLive, { withinMs: 5_000 }).catch(() => undefined);
    return runAction(
      deps,
      { name: 'olga', role: 'admin', via: 'token', ...actor },
      {
        action,
        instance: 'default',
        queues: [],
        args: {},
        reason: 'drill',
        dryRun: false,
        ...request,
      },
    );
  };
  return {
    watch,
    audit,
    deps,
    pull,
    async pullOne(action, request, actor) {
      const [outcome, ...more] = await pull(action, request, actor);
      if (!outcome || more.length > 0) throw new Error(`one outcome expected, ${more.length + 1} came`);
      return outcome;
    },
    seen: (queueId, isRight = () => true) =>
      until(`the console sees ${queueId}`, () => {
        // All of it is read at the next tick; left alone, finished jobs are read every few seconds only.
        watch.refreshSoon('default', queueId);
        return watch.snapshot('default')?.queues.find((queue) => queue.id === queueId && isRight(queue));
      }),
    async stop() {
      await parkings.stop();
      await watch.stop();
      store.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** One bench for all tests of a file, with a Redis of its own; workers that are started end with it. */
export function benchOfFile(queues: readonly string[]) {
  let redis: OwnRedis;
  let bench: ActionBench;
  const workers: WorkerProcess[] = [];
  beforeAll(async () => {
    redis = await startRedis();
    bench = await startBench(redis, { queues: queues.map((name) => `bull:${name}`) });
  });
  afterAll(async () => {
    await Promise.all(workers.map((worker) => worker.stop()));
    await bench?.stop();
    await redis?.stop();
  });
  return {
    get redis() {
      return redis;
    },
    get bench() {
      return bench;
    },
    async startWorker(options: Omit<WorkerOptions, 'port'>): Promise<WorkerProcess> {
      const worker = await startWorker({ port: redis.port, ...options });
      workers.push(worker);
      return worker;
    },
    /** Gives a queue so many jobs; its id, once it is seen. */
    async fill(name: string, jobs: number): Promise<string> {
      const both = openBoth(redis.port, name);
      await both.v6.addBulk(Array.from({ length: jobs }, () => ({ name: 'work', data: {} })));
      await both.close();
      await bench.seen(`bull:${name}`);
      return `bull:${name}`;
    },
  };
}

/** Something else that Redis holds, so that its size is that of a small real one. */
export async function addBallast(redis: OwnRedis, bytes = 32 * 1024 * 1024): Promise<void> {
  await redis.client.set('ballast', 'x'.repeat(bytes));
}

export async function lift(redis: OwnRedis): Promise<void> {
  await redis.client.config('SET', 'maxmemory', '0');
}

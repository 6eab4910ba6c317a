import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { History } from '../../server/history/history.js';
import type { HistorySettings } from '../../server/history/points.js';
import type { QueueState, Snapshot } from '../../server/model/snapshot.js';
import type { SeriesRef } from '../../server/signals/signal.js';
import { aNode, aQueue, aSnapshot } from './snapshot.js';

const SETTINGS: HistorySettings = {
  tickHours: 1,
  tenSecondHours: 24,
  minuteDays: 30,
  maxBytes: 500 * 1024 ** 2,
};
/** A whole day, so that blocks begin where they are expected. */
export const START_MS = Date.UTC(2026, 0, 2);
export const SECOND_MS = 1_000;
export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;

/** A history on a real file whose clock the test moves. */
export interface HistoryBench {
  readonly history: History;
  readonly directory: string;
  readonly warnings: readonly string[];
  nowMs: number;
  /** One tick at the present time, and what is due after it. */
  tick(queues: readonly QueueState[], over?: Partial<Snapshot>): Promise<void>;
  /** Ticks each second until a time, `backlog` of the queue `bull:mail` by time. */
  run(untilMs: number, backlog: (atMs: number) => number): Promise<void>;
  /** A history on the same file; the former one must have been stopped, or its process killed. */
  reopen(): Promise<void>;
  stop(): Promise<void>;
}

export async function startHistory(
  options: {
    readonly directory?: string;
    readonly settings?: Partial<HistorySettings>;
    readonly nowMs?: number;
    readonly mayWrite?: () => boolean;
  } = {},
): Promise<HistoryBench> {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'spillway-history-')));
  const warnings: string[] = [];
  const make = async (): Promise<History> => {
    const history = new History({
      directory,
      settings: { ...SETTINGS, ...options.settings },
      now: () => bench.nowMs,
      warn: (message) => warnings.push(message),
      ...(options.mayWrite ? { mayWrite: options.mayWrite } : {}),
    });
    await history.work();
    return history;
  };
  let history: History | null = null;
  const opened = (): History => {
    if (!history) throw new Error('the history is not open');
    return history;
  };
  const bench = {
    get history() {
      return opened();
    },
    directory,
    warnings,
    nowMs: options.nowMs ?? START_MS,
    async tick(queues: readonly QueueState[], over: Partial<Snapshot> = {}) {
      opened().take(snapshotAt(bench.nowMs, queues, over), bench.nowMs);
      await opened().work();
    },
    async run(untilMs: number, backlog: (atMs: number) => number) {
      for (; bench.nowMs < untilMs; bench.nowMs += SECOND_MS)
        await bench.tick([aQueue({ id: 'bull:mail', name: 'mail', backlog: backlog(bench.nowMs) })]);
    },
    async reopen() {
      history = await make();
    },
    async stop() {
      await history?.stop();
      if (options.directory === undefined) await rm(directory, { recursive: true, force: true });
    },
  };
  history = await make();
  return bench;
}

/** What the console would see then: a Redis that it reads live. */
export function snapshotAt(
  nowMs: number,
  queues: readonly QueueState[],
  over: Partial<Snapshot> = {},
): Snapshot {
  return aSnapshot({
    atMs: nowMs,
    nodes: [aNode()],
    queues,
    link: { lastReadAtMs: nowMs },
    ...over,
  } as Parameters<typeof aSnapshot>[0]);
}

export const BACKLOG: SeriesRef = {
  instance: 'default',
  node: null,
  queue: 'bull:mail',
  type: null,
  signal: 'queue_backlog_jobs',
};

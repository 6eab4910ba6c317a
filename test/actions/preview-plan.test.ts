import { describe, expect, it } from 'vitest';
import { type Action, type ActionContext, wholePreview } from '../../server/actions/action.js';
import { concurrency } from '../../server/actions/concurrency.js';
import { pause, resume } from '../../server/actions/pause-and-resume.js';
import { rateLimit } from '../../server/actions/rate-limit.js';
import { workersConcurrency } from '../../server/actions/workers.js';
import type { Applied, Preview } from '../../server/model/action.js';
import type { QueueState, RedisNode } from '../../server/model/snapshot.js';
import type { QueueControl } from '../../server/redis/queue-control.js';
import { aWorker } from '../support/fleet.js';
import { aType, runsOf } from '../support/job-types.js';
import {
  aFullNode,
  aNode,
  aQueue,
  aSnapshot,
  MB,
  NOW_MS,
  type QueueOver,
  someMemory,
  someRates,
  someType,
} from '../support/snapshot.js';

const me = aWorker({ agent: { running: 10 } });

/** 60,000 jobs of 1 KB and 400 ms wait for 10 slots, which do 25 a second; 10 a second arrive. */
function backlog(over: QueueOver = {}): QueueState {
  return aQueue({
    counts: { waiting: 60_000, active: 10 },
    rates: someRates({ arrivalsPerSecond: 10, departuresPerSecond: 25, growthPerSecond: -15 }),
    types: [aType({ waits: 60_000, run: runsOf(400) })],
    memory: someMemory({
      backlogBytes: 60 * MB,
      types: [someType({ type: 'track', backlogBytes: 60 * MB, unfinished: 60_010, bytesPerJob: 1048 })],
    }),
    ...over,
  });
}

function control(over: Partial<QueueControl> = {}): QueueControl {
  return {
    concurrency: null,
    rateLimit: null,
    pauseRecord: null,
    isPausedByApplication: false,
    waiting: 60_000,
    legacyPaused: 0,
    prioritized: 0,
    active: 10,
    limiterTtlMs: 0,
    version: 'bullmq:6.7.0',
    ...over,
  } as QueueControl;
}

const roomy = aNode({ countedBytes: 80 * MB, maxBytes: 100 * MB });

function shownBy<Args, State, Made extends Applied>(
  action: Action<Args, State, Made>,
  state: State,
  args: Args,
  queue = backlog(),
  node: RedisNode = roomy,
): { readonly preview: Preview; readonly said: string; readonly warned: string } {
  const snapshot = aSnapshot({ nodes: [node], queues: [queue], workers: [me] });
  const target = { instance: 'default', queue, jobId: null, worker: null };
  const context = { snapshot, target, actor: 'olga', reason: '', nowMs: NOW_MS } as unknown as ActionContext;
  const preview = wholePreview(action, state, args, context);
  return {
    preview,
    said: preview.effects.join(' '),
    warned: preview.warnings.map(({ text }) => text).join(' '),
  };
}

const orders = (value: number) => ({
  workers: [me],
  overrides: [],
  former: null,
  ordered: { value },
});

describe('a preview forecasts, with its range and what limits', () => {
  it('when a backlog is drained with more slots, and what Redis holds then', () => {
    const { said, preview } = shownBy(workersConcurrency, orders(200), { value: 200 });
    // 200 slots at 400 ms do 500 a second.
    expect(said).toMatch(/200 slots in 1 process do \d+\/s at 400 ms a job/);
    expect(said).toMatch(/the 60,000 jobs that wait are gone in about 2 min [^.]*\(.* to .*\)\./);
    expect(said).toMatch(/Then Redis holds about 2\d(\.\d)? MB of 100 MB .*, now 80 MB\./);
    expect(preview.forecast?.change).toEqual({ concurrency: 200 });
    expect(preview.forecast?.plan.bottleneck).toBe('workers');
  });

  it('that another limit is met before the slots are', () => {
    const { said } = shownBy(workersConcurrency, orders(200), { value: 200 }, backlog({ concurrency: 15 }));
    expect(said).toMatch(/The global concurrency lets 15 of 200 slots run/);
  });

  it('what a global concurrency leaves, and that it never drains where too little does', () => {
    expect(shownBy(concurrency, control(), { value: 8 }).said).toMatch(/lets 8 of 10 slots run, which do 20/);
    const starved = shownBy(concurrency, control(), { value: 1 });
    expect(starved.said).toMatch(/while 10\/s arrive: the backlog of 60,000 jobs grows by 7\.5\/s/);
    expect(starved.preview.forecast?.plan.drainSeconds).toBeNull();
  });

  it('what a rate limit lets through, and what its removal brings', () => {
    const limit = { max: 20, durationMs: 1000, isExact: false };
    expect(shownBy(rateLimit, control(), limit).said).toMatch(
      /lets 20\/s through, against 10\/s that arrive/,
    );
    const held = backlog({
      rateLimit: { max: 12, durationMs: 1000 },
      rates: someRates({ arrivalsPerSecond: 10, departuresPerSecond: 12 }),
    });
    const freed = shownBy(
      rateLimit,
      control({ rateLimit: { max: 12, durationMs: 1000 } }),
      { ...limit, max: null },
      held,
    );
    expect(freed.said).toMatch(/10 slots in 1 process do 2\d(\.\d+)?\/s/);
  });

  it('what a resume will do', () => {
    const paused = backlog({
      flow: 'paused-by-spillway',
      concurrency: 0,
      pause: { formerConcurrency: null, atMs: NOW_MS - 60_000, actor: 'x' },
      rates: someRates({ arrivalsPerSecond: 10, departuresPerSecond: 0 }),
    });
    const record = JSON.stringify({ formerConcurrency: null, atMs: NOW_MS, actor: 'x' });
    const { said, preview } = shownBy(resume, control({ concurrency: 0, pauseRecord: record }), {}, paused);
    expect(said).toMatch(/10 slots in 1 process do 25\/s .* are gone in about 1 h/);
    expect(preview.forecast?.change).toMatchObject({ pauseQueue: false });
  });

  it('that a pause lets the backlog grow until Redis is full', () => {
    const { said, warned } = shownBy(pause, control(), {});
    expect(said).toMatch(
      /The queue is paused, while 10\/s arrive: the backlog of 60,000 jobs grows by 10\/s/,
    );
    expect(warned).toMatch(/Redis is full in 3\d min/);
  });
});

describe('a preview does not pretend', () => {
  it('says on what it rests where workers have no agent', () => {
    const snapshot = aSnapshot({ nodes: [roomy], queues: [backlog()], workers: [] });
    const target = { instance: 'default', queue: backlog(), jobId: null, worker: null };
    const context = {
      snapshot,
      target,
      actor: 'olga',
      reason: '',
      nowMs: NOW_MS,
    } as unknown as ActionContext;
    const { effects } = wholePreview(concurrency, control(), { value: 5 }, context);
    expect(effects.join(' ')).toMatch(
      /No worker has the agent: 10 slots are assumed for them, by what runs\./,
    );
  });

  it('says of a full Redis once what that means, in the words of the action, with what to do first', () => {
    const { preview, said } = shownBy(
      workersConcurrency,
      orders(200),
      { value: 200 },
      backlog(),
      aFullNode(),
    );
    const full = preview.warnings.filter(({ text }) => text.startsWith('Redis is full'));
    expect(full).toHaveLength(1);
    expect(full[0]?.instead.length).toBeGreaterThan(0);
    expect(said).toMatch(/Redis is full .* so only slots that are busy go on/);
  });

  it('says nothing of a queue in which nothing waits and nothing comes', () => {
    const { preview } = shownBy(concurrency, control({ active: 0, waiting: 0 }), { value: 5 }, aQueue());
    expect(preview.forecast).toBeNull();
    expect(preview.effects).toHaveLength(1);
  });
});

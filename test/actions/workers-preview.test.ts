import { describe, expect, it } from 'vitest';
import { type ActionContext, wholePreview } from '../../server/actions/action.js';
import { overrideForAll, overrideScope, sameNameWorkersOf } from '../../server/actions/overrides.js';
import { slotsOrdered } from '../../server/actions/slots.js';
import { workerPause } from '../../server/actions/worker-actions.js';
import { workersConcurrency } from '../../server/actions/workers.js';
import type { Preview } from '../../server/model/action.js';
import type { Snapshot } from '../../server/model/snapshot.js';
import type { Override, WorkerState } from '../../server/model/worker.js';
import { aWorker } from '../support/fleet.js';
import { aQueue, aSnapshot, NOW_MS, someRates } from '../support/snapshot.js';

const queue = aQueue({
  id: 'bull:emails',
  counts: { waiting: 1_000 },
  rates: someRates({ arrivalsPerSecond: 0 }),
});
const me = aWorker({ id: 'me' });

function contextOf(snapshot: Snapshot, worker: WorkerState | null = null): ActionContext {
  const target = { instance: snapshot.instance, queue, jobId: null, worker };
  return { snapshot, target, actor: 'olga', reason: '', nowMs: NOW_MS } as unknown as ActionContext;
}

function pausing(...others: readonly WorkerState[]): string {
  const context = contextOf(aSnapshot({ queues: [queue], workers: [me, ...others] }), me);
  if (!me.agent) throw new Error('it has the agent');
  const state = { worker: me, agent: me.agent, overrides: [], sameNameWorkers: [] };
  const { effects, warnings } = wholePreview(workerPause, state, {}, context);
  return [...effects, ...warnings.map(({ text }) => text)].join(' ');
}

describe('taking a worker out of the pool', () => {
  it('warns where it is the last that takes jobs, whatever else is connected', () => {
    expect(pausing()).toMatch(/only worker of its queue/);
    for (const other of [
      aWorker({ id: 'other', agent: { paused: 'order' } }),
      aWorker({ id: 'other', agent: { paused: 'guard' } }),
      aWorker({ id: 'other', agent: { isClosing: true } }),
      aWorker({ id: 'other', isConnected: false }),
      aWorker({ id: 'other', agent: { lastBeatAtMs: NOW_MS - 60_000 } }),
    ]) {
      expect(pausing(other)).toMatch(/last worker of its queue that takes jobs/);
      expect(pausing(other)).toMatch(/0 slots of 0 other workers/);
    }
    expect(pausing(aWorker({ id: 'elsewhere', queueId: 'bull:other' }))).toMatch(/only worker/);
    expect(pausing(aWorker({ id: 'other' }))).not.toMatch(/nothing is taken/);
    expect(pausing(aWorker({ id: 'client:1', agent: null }))).not.toMatch(/nothing is taken/);
  });
});

type Args = Parameters<typeof workersConcurrency.preview>[1];

describe('the slots that are forecast for all workers', () => {
  const shown = (
    args: Args,
    workers: readonly WorkerState[],
    overrides: readonly Override[] = [],
  ): Preview => {
    const ordered = slotsOrdered(args, queue, workers, overrides);
    const former = overrideForAll(overrides, 'concurrency');
    const context = contextOf(aSnapshot({ queues: [queue], workers }));
    return wholePreview(workersConcurrency, { workers, overrides, former, ordered }, args, context);
  };
  const kept = (over: Partial<Override>): Override => ({
    orderId: 'one',
    scope: '*',
    setting: 'concurrency',
    value: 7,
    by: 'ada',
    atMs: NOW_MS - 60_000,
    reason: '',
    untilMs: null,
    ...over,
  });

  it('leave one whose owner allows less as it is', () => {
    const limited = aWorker({
      id: 'limited',
      label: 'small@web-1',
      agent: { key: 'small@web-1', maxConcurrency: 15 },
    });
    const preview = shown({ factor: 2 }, [me, limited]);
    expect(preview.fields[0]?.after).toBe('10 to 20, 30 in all');
    expect(preview.warnings.map(({ text }) => text).join(' ')).toMatch(/small@web-1 will refuse.*at most 15/);
  });

  it('leave one with an order of its own as it is, and say so', () => {
    const other = aWorker({ id: 'other', agent: { key: 'other@web-1' } });
    const own = kept({ scope: 'mailer@web-1', value: 10 });
    const preview = shown({ value: 50 }, [me, other], [own]);
    expect(preview.fields[0]?.after).toBe('10 to 50, 60 in all');
    expect(preview.warnings.map(({ text }) => text).join(' ')).toMatch(/mailer@web-1 keeps its own order/);
  });

  it('drain a backlog by those that follow: one that is paused or has its own order does not count', () => {
    const paused = aWorker({
      id: 'paused',
      agent: { key: 'paused@web-1', paused: 'order', running: 0, finishedPerSecond: 0 },
    });
    const own = aWorker({ id: 'own', agent: { key: 'own@web-1', running: 0, finishedPerSecond: 0 } });
    const alone = shown({ drainWithinSeconds: 100 }, [me]);
    const among = shown({ drainWithinSeconds: 100 }, [me, paused, own], [kept({ scope: 'own@web-1' })]);
    // 1,000 in 100 s at 0.6 s a job: 6 busy slots, 8 at 80%.
    expect(alone.summary).toMatch(/up to 8 jobs/);
    expect(among.summary).toMatch(/up to 8 jobs/);
    const none = shown({ drainWithinSeconds: 100 }, [paused]);
    expect(none.summary).toMatch(/none would follow/);
    for (const workers of [[], [aWorker({ agent: { running: 0, finishedPerSecond: 0 } })]])
      expect(shown({ drainWithinSeconds: 100 }, workers).summary).toMatch(/^No number of slots/);
  });

  it('are as deployed at the end of a time, not as another order had them before', () => {
    const preview = shown({ value: 50, forMs: 600_000 }, [me], [kept({ value: 7 })]);
    expect(preview.summary).toMatch(/for 10 min, then as deployed/);
  });
});

describe('what an order of one worker is kept under', () => {
  const twin = aWorker({ id: 'twin' });
  const others = (...workers: readonly WorkerState[]) =>
    sameNameWorkersOf(me, aSnapshot({ queues: [queue], workers: [me, ...workers] }), NOW_MS);

  it('is its name, but for one that shares it or has none, or is followed by its id already', () => {
    expect(overrideScope(me, others(), [])).toBe('mailer@web-1');
    expect(overrideScope(me, others(twin), [])).toBe('me');
    expect(overrideScope(aWorker({ id: 'me', agent: { key: null } }), [], [])).toBe('me');
  });

  it('is its name where the one before it has just ended, or works on another queue', () => {
    for (const gone of [
      aWorker({ id: 'gone', isConnected: false }),
      aWorker({ id: 'gone', agent: { isClosing: true } }),
      aWorker({ id: 'gone', agent: { lastBeatAtMs: NOW_MS - 5_000 } }),
      aWorker({ id: 'gone', queueId: 'bull:other' }),
    ])
      expect(others(gone)).toEqual([]);
    expect(others(twin).map(({ id }) => id)).toEqual(['twin']);
  });
});

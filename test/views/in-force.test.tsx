import { describe, expect, it } from 'vitest';
import type { AuditRecord } from '../../server/model/audit-record.js';
import type { Parking } from '../../server/model/parking.js';
import { type InForceFacts, inForceOf } from '../../server/routes/pages/in-force.js';
import { lastTrouble } from '../../server/routes/pages/resolved.js';
import type { Episode } from '../../server/timeline/episode.js';
import { InForce } from '../../views/in-force.js';
import { VerdictLine } from '../../views/verdict.js';
import { WatchedPanel } from '../../views/watched.js';
import { rendered, textIn } from '../support/rendered.js';
import { aNode, aQueue, aSnapshot, MB, NOW_MS } from '../support/snapshot.js';

const MINUTE = 60_000;
const facts = (over: Partial<InForceFacts>): InForceFacts => ({
  snapshots: [],
  records: [],
  parkings: [],
  replays: [],
  ...over,
});
const shown = (over: Partial<InForceFacts>, role: 'viewer' | 'operator' = 'operator') =>
  inForceOf(facts(over), role);

const raised = (over: Partial<AuditRecord>): AuditRecord => ({
  id: 'a',
  atMs: NOW_MS - MINUTE,
  actor: 'ann',
  via: 'page',
  reason: 'room',
  action: 'redis.raise-maxmemory',
  instance: 'default',
  queue: null,
  jobId: null,
  worker: null,
  args: { maxBytes: 96 * MB },
  before: { maxmemory: '64 MB' },
  after: { maxmemory: '96 MB' },
  status: 'applied',
  summary: '',
  freedBytes: null,
  durationMs: 1,
  undo: { action: 'redis.raise-maxmemory', instance: 'default', queues: [], args: { maxBytes: 64 * MB } },
  measurement: null,
  ...over,
});

describe('what is in force', () => {
  it('is each setting that was changed from here, with who, since when, why, and the way back to what was first', () => {
    const snapshots = [aSnapshot({ nodes: [aNode({ maxBytes: 128 * MB })] })];
    const again = raised({
      atMs: NOW_MS - 1_000,
      actor: 'ben',
      args: { maxBytes: 128 * MB },
      before: { maxmemory: '96 MB' },
      after: { maxmemory: '128 MB' },
    });
    const [item, ...others] = shown({ snapshots, records: [again, raised({})] });
    expect(others).toEqual([]);
    expect(item).toMatchObject({ what: 'Redis default: limit 128 MB', who: 'ben', why: 'room' });
    expect(decodeURIComponent(item?.way?.href ?? '')).toContain(`"maxBytes":${64 * MB}`);
  });

  it('is nothing that has been taken back, that failed, or that somebody else has set otherwise since', () => {
    const snapshots = [aSnapshot({ nodes: [aNode({ maxBytes: 96 * MB })] })];
    const undone = raised({
      atMs: NOW_MS,
      args: { maxBytes: 64 * MB },
      before: { maxmemory: '96 MB' },
      after: { maxmemory: '64 MB' },
    });
    expect(shown({ snapshots, records: [raised({}), undone] })).toEqual([]);
    expect(shown({ snapshots, records: [raised({ status: 'failed' })] })).toEqual([]);
    const other = [aSnapshot({ nodes: [aNode({ maxBytes: 80 * MB })] })];
    expect(shown({ snapshots: other, records: [raised({})] })).toEqual([]);
  });

  it('is each pause, order to workers and parking; a viewer reads it and can press nothing', () => {
    const queue = aQueue({
      flow: 'paused-by-spillway',
      concurrency: 0,
      counts: { waiting: 7 },
      pause: { formerConcurrency: null, atMs: NOW_MS - MINUTE, actor: 'olga' },
      overrides: [
        {
          orderId: 'o1',
          scope: '*',
          setting: 'concurrency',
          value: 50,
          by: 'ann',
          atMs: NOW_MS,
          reason: 'so that batches fill',
          untilMs: NOW_MS + MINUTE,
        },
      ],
    });
    const parking = {
      id: 'p1',
      instance: 'default',
      queue: queue.id,
      remaining: 37_848,
      actor: 'ann',
      startedAtMs: NOW_MS - MINUTE,
      state: 'done',
      phase: 'park',
      because: null,
      paceReason: null,
      reason: 'make room',
    } as Parking;
    const items = shown({ snapshots: [aSnapshot({ queues: [queue] })], parkings: [parking] });
    expect(items.map(({ what, way }) => [what, way?.label])).toEqual([
      [`${queue.name}: 37,848 jobs parked`, 'Restore'],
      [`${queue.name} paused, 7 jobs waiting`, 'Resume'],
      [`${queue.name}, every worker: concurrency 50`, 'Reset'],
    ]);
    const text = textIn(rendered(<InForce items={items} nowMs={NOW_MS} />));
    expect(text).toContain('olga, 1 min ago');
    expect(text).toContain('until 03:05:05 UTC : so that batches fill');
    const viewed = shown({ snapshots: [aSnapshot({ queues: [queue] })], parkings: [parking] }, 'viewer');
    expect(viewed.map(({ way }) => way)).toEqual([null, null, null]);
  });
});

describe('that it is over', () => {
  const episode = (over: Partial<Episode>): Episode =>
    ({ id: 'e', code: 'redis.full', instance: 'default', beganAtMs: 0, endedAtMs: null, ...over }) as Episode;

  it('is the last trouble with all that overlapped it, named by what Redis had where it had any', () => {
    const stuck = episode({ id: 's', code: 'queue.stuck', beganAtMs: 0, endedAtMs: 200_000 });
    const full = episode({ id: 'f', beganAtMs: 50_000, endedAtMs: 90_000 });
    const before = episode({ id: 'b', beganAtMs: -900_000, endedAtMs: -800_000 });
    expect(lastTrouble([before, full, stuck])).toMatchObject({
      main: { id: 'f' },
      fromMs: 0,
      toMs: 200_000,
    });
  });

  it('is not said while any of it lasts', () => {
    const full = episode({ beganAtMs: 0, endedAtMs: 90_000 });
    expect(lastTrouble([full, episode({ beganAtMs: 60_000, endedAtMs: null })])).toBeNull();
    expect(lastTrouble([])).toBeNull();
  });

  it('is said with how long it took, its peak, what was done, what holds still, and where to write it up', () => {
    const html = rendered(
      <VerdictLine
        state="calm"
        counts=""
        text="All clear"
        detail=""
        resolved={{
          headline: 'Redis is full',
          fromMs: NOW_MS - 169_000,
          toMs: NOW_MS,
          peakJobs: 38_780,
          actions: 4,
          episodeId: 'e1',
          inForce: 1,
          mayWrite: true,
        }}
      />,
    );
    expect(textIn(html)).toBe(
      'Resolved after 2 min 49 s: Redis is full All clear · peak 38,780 jobs waiting · 4 actions · still in force: 1 Write it up',
    );
    expect(html).toContain('href="/incidents/new?entry=e1&amp;entry=e1-end"');
  });
});

describe('where nothing is wrong', () => {
  const said = (over: Parameters<typeof aSnapshot>[0]) =>
    textIn(rendered(<WatchedPanel snapshots={[aSnapshot(over)]} />));

  it('says what is watched, when it was looked at, and how close the nearest limit is', () => {
    const text = said({ queues: [aQueue()], nodes: [aNode({ countedBytes: 43 * MB })] });
    expect(text).toContain('Watching 1 queue and 0 workers in one Redis.');
    expect(text).toContain('memory of default at 43%');
    expect(text).toContain('Last checked');
  });

  it('says what is missing next: a Redis, a queue, a worker, the agent', () => {
    expect(said({ link: { lastReadAtMs: null } })).toContain('--redis redis://');
    expect(said({ queues: [] })).toContain('No BullMQ queue is in this Redis yet');
    expect(said({ queues: [aQueue({ workers: 0 })] })).toContain('No worker is connected');
    expect(said({ queues: [aQueue({ workers: 2 })] })).toContain('attach(worker)');
  });
});

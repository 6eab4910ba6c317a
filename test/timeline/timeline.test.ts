import { expect, it } from 'vitest';
import type { TimelineEntry } from '../../server/model/timeline-entry.js';
import { auditOf, createAuditLog } from '../../server/timeline/audit-log.js';
import { NOW_MS } from '../support/snapshot.js';
import { storesOfEachTest } from '../support/stores.js';

const stores = storesOfEachTest();

function entry(i: number, over: Partial<TimelineEntry> = {}): TimelineEntry {
  return {
    id: `e${i}`,
    atMs: NOW_MS + i,
    instance: 'default',
    kind: 'worker.joined',
    queue: 'bull:mail',
    worker: `w${i}`,
    text: `w${i} works on mail.`,
    actor: null,
    brief: null,
    ...over,
  };
}

it('what happened is listed newest first, page by page, by instance, and outlives a restart', async () => {
  const first = await stores.open();
  const entries = [
    entry(1),
    entry(2, { instance: 'other', queue: null, worker: null }),
    entry(3),
    entry(3, { id: 'e4' }),
  ];
  for (const one of entries) await first.timeline.append(one);
  const { timeline } = await stores.open();
  const ids = async (query: Parameters<typeof timeline.list>[0]) =>
    (await timeline.list(query)).map(({ id }) => id);
  expect(await timeline.list({ limit: 10 })).toEqual([...entries].reverse());
  expect(await ids({ limit: 2 })).toEqual(['e4', 'e3']);
  expect(await ids({ limit: 10, beforeMs: NOW_MS + 3 })).toEqual(['e2', 'e1']);
  expect(await ids({ limit: 10, instance: 'other' })).toEqual(['e2']);
});

it('the newest 50,000 are kept, also by a console that never runs long enough to write many', async () => {
  (await stores.open()).close();
  await stores.query(
    `INSERT INTO timeline (id, at_ms, instance, kind, text)
     WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
     SELECT 'e' || i, ${NOW_MS} + i, 'default', 'worker.left', '' FROM n`,
  );
  const { timeline } = await stores.open();
  await timeline.append(entry(60_001));
  const rows = await stores.query('SELECT count(*) AS kept, min(at_ms) AS oldest FROM timeline');
  expect(rows[0]).toMatchObject({ kept: 50_000, oldest: NOW_MS + 10_002 });
  expect((await timeline.list({ limit: 1 }))[0]?.id).toBe('e60001');
});

it('the audit forgets by age and by number, and what was refused never pushes out what was done', async () => {
  const database = await stores.database();
  const bounds = { maxAgeMs: 1_000, maxChanges: 5, maxRefused: 2, pruneEvery: 1 };
  const audit = createAuditLog(database, bounds);
  const actor = { name: 'ana', role: 'admin', via: 'token' } as const;
  const append = (id: string, atMs: number, status: 'applied' | 'refused') =>
    audit.append(
      auditOf(id, atMs, actor, { action: 'queue.pause', instance: 'default', args: {}, summary: '', status }),
    );
  const ids = async () => (await audit.list({ limit: 500 })).map(({ id }) => id);
  await append('old', NOW_MS - 2_000, 'applied');
  for (let i = 0; i < 4; i++) await append(`done${i}`, NOW_MS + i, 'applied');
  for (let i = 0; i < 50; i++) await append(`refused${i}`, NOW_MS + 10 + i, 'refused');
  expect(await ids()).toEqual(['refused49', 'refused48', 'done3', 'done2', 'done1', 'done0']);
  for (let i = 4; i < 9; i++) await append(`done${i}`, NOW_MS + 100 + i, 'applied');
  expect(await ids()).toEqual(['done8', 'done7', 'done6', 'done5', 'done4', 'refused49', 'refused48']);
});

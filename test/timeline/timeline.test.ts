import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Client, createClient } from '@libsql/client';
import { drizzle } from 'drizzle-orm/libsql';
import { expect, it } from 'vitest';
import type { TimelineEntry } from '../../server/model/timeline-entry.js';
import { packagePath } from '../../server/process/package-path.js';
import { auditOf, createAuditLog } from '../../server/timeline/audit-log.js';
import { anAlert } from '../support/alerts.js';
import { aNotification } from '../support/notifications.js';
import { NOW_MS } from '../support/snapshot.js';
import { storesOfEachTest } from '../support/stores.js';

const stores = storesOfEachTest();
const file = (): string => pathToFileURL(join(stores.directory, 'spillway.db')).href;

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
  const client = createClient({ url: file() });
  await client.execute(
    `INSERT INTO timeline (id, at_ms, instance, kind, text)
     WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
     SELECT 'e' || i, ${NOW_MS} + i, 'default', 'worker.left', '' FROM n`,
  );
  const { timeline } = await stores.open();
  await timeline.append(entry(60_001));
  const { rows } = await client.execute('SELECT count(*) AS kept, min(at_ms) AS oldest FROM timeline');
  client.close();
  expect(rows[0]).toMatchObject({ kept: 50_000, oldest: NOW_MS + 10_002 });
  expect((await timeline.list({ limit: 1 }))[0]?.id).toBe('e60001');
});

it('the audit forgets by age and by number, and what was refused never pushes out what was done', async () => {
  await stores.open();
  const client = createClient({ url: file() });
  const bounds = { maxAgeMs: 1_000, maxChanges: 5, maxRefused: 2, pruneEvery: 1 };
  const audit = createAuditLog(drizzle(client), bounds);
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
  client.close();
});

/** A store as releases before left it, with the first so many steps of its schema. */
async function storeOf(steps: number): Promise<Client> {
  const client = createClient({ url: file() });
  const folder = packagePath('server/store/migrations');
  const journal = JSON.parse(await readFile(join(folder, 'meta/_journal.json'), 'utf8')) as {
    entries: { when: number; tag: string }[];
  };
  const before = journal.entries.slice(0, steps);
  for (const { tag } of before) {
    const sql = await readFile(join(folder, `${tag}.sql`), 'utf8');
    for (const statement of sql.split('--> statement-breakpoint')) await client.execute(statement);
  }
  // As drizzle's migrator notes what it has done.
  await client.execute(
    'CREATE TABLE __drizzle_migrations (id INTEGER PRIMARY KEY, hash text NOT NULL, created_at numeric)',
  );
  await client.execute({
    sql: 'INSERT INTO __drizzle_migrations (hash, created_at) VALUES (?, ?)',
    args: ['of-the-last', before.at(-1)?.when ?? 0],
  });
  return client;
}

it('a store of the first release is taken over with all that it holds', async () => {
  const client = await storeOf(1);
  await client.execute(
    `INSERT INTO actions (id, at_ms, actor, via, reason, lever, instance, args, before, after, status, summary, duration_ms)
     VALUES ('a1', ${NOW_MS}, 'ana', 'page', 'why', 'queue.halt', 'default', '{}', '{}', '{}', 'applied', 'done', 3)`,
  );
  client.close();
  const store = await stores.open();
  expect(await store.audit.list({ limit: 10 })).toMatchObject([
    { id: 'a1', action: 'queue.pause', worker: null, summary: 'done' },
  ]);
  await store.timeline.append(entry(1));
  expect(await store.timeline.list({ limit: 10 })).toHaveLength(1);
});

it('what release 0.3 said in a sentence is read as the cause: alerts, messages that wait, silences, episodes', async () => {
  const client = await storeOf(15);
  const insert = async (table: string, row: Readonly<Record<string, string | number>>) => {
    const columns = Object.keys(row);
    const sql = `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`;
    await client.execute({ sql, args: Object.values(row) });
  };
  const { code, headline: _h, cause: _c, effect: _e, action: _a, ...kept } = anAlert();
  const record = JSON.stringify({ ...kept, cause: code, summary: 'mail is too deep.' });
  await insert('alerts', { id: 'a1', instance: 'default', rule: 'depth', state: 'firing', record });
  const { headline: _nh, alerts, ...message } = aNotification();
  const notices = alerts.map(({ headline: _ah, cause: _ac, effect: _ae, action: _aa, ...notice }) => ({
    ...notice,
    summary: 'Redis holds 470 MB of 512 MB',
  }));
  await insert('outbox', {
    ...{ notification_id: 'n-1', channel: 'a', group_key: 'g', state: 'pending', tries: 0 },
    ...{ created_at_ms: NOW_MS, next_try_at_ms: NOW_MS },
    notification: JSON.stringify({
      ...message,
      title: 'Redis is nearly full',
      alerts: [...notices, ...notices],
    }),
  });
  await insert('silences', {
    ...{ id: 's1', author: 'ana', comment: 'known', starts_at_ms: 0, ends_at_ms: NOW_MS + 60_000 },
    matchers: JSON.stringify({ cause: 'redis.*', instance: 'default' }),
  });
  await insert('finding_episodes', {
    ...{ id: 'e1', key: 'k', code: 'redis.full', instance: 'default', queues: '[]', severity: 'critical' },
    ...{ title: 'Redis is full', began_at_ms: NOW_MS, last_seen_at_ms: NOW_MS, worst: '[]' },
  });
  client.close();
  const store = await stores.open();
  const [alert] = await store.alerting.alerts.open();
  expect(alert).toMatchObject({
    code: 'signal:queue_backlog_jobs',
    headline: 'Too deep: bull:mail',
    cause: 'mail is too deep.',
    ...{ effect: '', action: '' },
  });
  expect(alert).not.toHaveProperty('summary');
  const [waiting] = await store.outbox.list(['pending'], 10);
  expect(waiting?.notification).toMatchObject({
    headline: 'Redis is nearly full',
    alerts: [
      { headline: 'Redis is nearly full', cause: 'Redis holds 470 MB of 512 MB', evidence: '92% of 512 MB' },
      { cause: 'Redis holds 470 MB of 512 MB' },
    ],
  });
  expect(await store.alerting.silences.active(NOW_MS)).toMatchObject([
    { matchers: { code: 'redis.*', instance: 'default' } },
  ]);
  expect(await store.episodes.open()).toMatchObject([{ headline: 'Redis is full', cause: '' }]);
});

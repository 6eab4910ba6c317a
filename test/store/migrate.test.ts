import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packagePath } from '../../server/process/package-path.js';
import { anAlert } from '../support/alerts.js';
import { aNotification } from '../support/notifications.js';
import { NOW_MS } from '../support/snapshot.js';
import { ENGINE, storesOfEachTest } from '../support/stores.js';

const stores = storesOfEachTest();

it('consoles that open a new store at the same moment all keep their records in it', async () => {
  const all = await Promise.all([1, 2, 3].map(() => stores.open()));
  await Promise.all(
    all.map((store, i) => store.outbox.add(aNotification({ id: `n-${i}` }), ['hook'], Date.now())),
  );
  for (const store of all) expect((await store.outbox.counts()).pending).toBe(3);
});

it('a store that a newer release has been at is not touched, and one line says so', async () => {
  await stores.open();
  await stores.query('INSERT INTO schema_version (version) VALUES (9999)');
  await expect(stores.database()).rejects.toThrow(
    /its tables are of a newer release \(step 9999, this one knows \d+\)/,
  );
});

/** A SQLite store as releases before left it, with the first so many steps of its schema. */
async function leaveStore(steps: number, notedAtMs: number): Promise<void> {
  const folder = packagePath('server/store/migrations/sqlite');
  for (const name of (await readdir(folder)).sort().slice(0, steps))
    for (const statement of (await readFile(join(folder, name), 'utf8')).split(';\n'))
      if (statement.trim() !== '') await stores.query(statement);
  // As the migrator of these releases noted what it had done.
  await stores.query(
    'CREATE TABLE __drizzle_migrations (id INTEGER PRIMARY KEY, hash text NOT NULL, created_at numeric)',
  );
  await stores.query(`INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('last', ${notedAtMs})`);
}

const onSqlite = it.runIf(ENGINE === 'sqlite');

onSqlite('a store of the first release is taken over with all that it holds', async () => {
  await leaveStore(1, 1795200000000);
  await stores.query(
    `INSERT INTO actions (id, at_ms, actor, via, reason, lever, instance, args, before, after, status, summary, duration_ms)
     VALUES ('a1', ${NOW_MS}, 'ana', 'page', 'why', 'queue.halt', 'default', '{}', '{}', '{}', 'applied', 'done', 3)`,
  );
  const store = await stores.open();
  expect(await store.audit.list({ limit: 10 })).toMatchObject([
    { id: 'a1', action: 'queue.pause', worker: null, summary: 'done' },
  ]);
  await store.timeline.append({
    ...{ id: 'e1', atMs: NOW_MS, instance: 'default', kind: 'worker.left', queue: null, worker: 'w' },
    text: 'w has left.',
  });
  expect(await store.timeline.list({ limit: 10 })).toHaveLength(1);
});

onSqlite('a store of release 0.3 goes on with its alerts, and what they were told', async () => {
  await leaveStore(16, 1796043600000);
  const record = anAlert({ notified: { status: 'firing', atMs: NOW_MS } as never });
  await insert('alerts', {
    ...{ id: record.id, instance: 'default', rule: 'depth', state: 'resolved', fired_at_ms: NOW_MS },
    ...{ resolved_at_ms: NOW_MS + 1, record: JSON.stringify(record) },
  });
  await insert('outbox', {
    ...{ notification_id: 'n-1', channel: 'a', group_key: 'redis', state: 'sent', tries: 0 },
    ...{ created_at_ms: NOW_MS, next_try_at_ms: NOW_MS },
    notification: JSON.stringify(aNotification({ groupKey: 'redis' })),
  });
  const store = await stores.open();
  expect((await store.alerting.alerts.open()).map(({ id }) => id)).toEqual([record.id]);
  expect([...(await store.alerting.alerts.firings(NOW_MS)).keys()]).toEqual([record.key]);
  const known = aNotification({ id: 'n-2', groupKey: 'redis', status: 'acknowledged' });
  await store.outbox.addAcknowledgement(known, ['a'], NOW_MS);
  expect(await store.outbox.list(['pending'], 10)).toMatchObject([{ notification: known }]);
  await store.commands.add({ id: 'c', name: 'note', args: [] }, NOW_MS);
  expect(await store.commands.list()).toHaveLength(1);
});

onSqlite(
  'what release 0.3 said in a sentence is read as the cause: alerts, messages that wait, silences, episodes',
  async () => {
    await leaveStore(15, 1796040000000);
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
        {
          headline: 'Redis is nearly full',
          cause: 'Redis holds 470 MB of 512 MB',
          evidence: '92% of 512 MB',
        },
        { cause: 'Redis holds 470 MB of 512 MB' },
      ],
    });
    expect(await store.alerting.silences.active(NOW_MS)).toMatchObject([
      { matchers: { code: 'redis.*', instance: 'default' } },
    ]);
    expect(await store.episodes.open()).toMatchObject([{ headline: 'Redis is full', cause: '' }]);
  },
);

async function insert(table: string, row: Readonly<Record<string, string | number>>): Promise<void> {
  const values = Object.values(row).map((value) => `'${String(value).replaceAll("'", "''")}'`);
  await stores.query(`INSERT INTO ${table} (${Object.keys(row).join(', ')}) VALUES (${values.join(', ')})`);
}

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { packagePath } from '../../server/process/package-path.js';
import { type BothVersions, openBoth } from '../support/bullmq-queues.js';
import { type RunningConsole, startConsole } from '../support/console.js';
import { cpuMsOf } from '../support/cpu.js';
import { until } from '../support/until.js';

const PRIVATE = 'somebody@example.org '.repeat(300);

let redis: OwnRedis;
let directory: string;
let queues: BothVersions;
let spillway: RunningConsole;

beforeAll(async () => {
  redis = await startRedis();
  queues = openBoth(redis.port, 'mail');
  await queues.v6.addBulk(
    Array.from({ length: 300 }, (_, i) => ({
      name: i % 3 === 0 ? 'track' : 'bill',
      data: { i, pad: PRIVATE },
    })),
  );
  // As somebody made it by hand, with files of an older console.
  directory = await mkdtemp(join(tmpdir(), 'spillway-parkings-'));
  await chmod(directory, 0o755);
  for (const name of ['spillway.db', 'parked.db'])
    await writeFile(join(directory, name), '', { mode: 0o644 });
  await writeFile(join(directory, 'session.key'), randomBytes(32), { mode: 0o644 });
  spillway = await startConsole({ redisUrl: redis.url, dataDirectory: directory });
  await until('the console sees the queue', async () => {
    const { body } = await spillway.ask('GET', '/api/v1/instances/default/queues');
    return body.queues?.some((queue: { id: string }) => queue.id === 'bull:mail');
  });
});
afterAll(async () => {
  await spillway?.stop();
  await queues?.close();
  await redis?.stop();
  if (directory) await rm(directory, { recursive: true, force: true });
});

it('what it keeps is for its own user alone, whoever made the directory and the files', async () => {
  const names = await readdir(directory);
  expect(names).toEqual(
    expect.arrayContaining(['spillway.db', 'spillway.db-wal', 'parked.db', 'parked.db-shm', 'history.db']),
  );
  const mode = async (name: string) => ((await stat(join(directory, name))).mode & 0o777).toString(8);
  expect(await mode('.')).toBe('700');
  for (const name of names) expect([name, await mode(name)]).toEqual([name, '600']);
  expect(spillway.output()).not.toMatch(/data directory/);
});

it('a runbook parks a type, looks at the account, exports it and brings it back', async () => {
  const asked = { instance: 'default', queue: 'mail', jobTypes: ['track'], reason: 'too many' };
  const dry = await spillway.ask('POST', '/api/v1/parkings?dryRun=true', asked);
  expect(dry.body).toMatchObject({ parking: null, estimate: { jobs: 100, isExact: true } });
  expect(await redis.client.llen('bull:mail:wait')).toBe(300);
  const begun = await spillway.ask('POST', '/api/v1/parkings', asked);
  expect(begun.status).toBe(200);
  const path = `/api/v1/parkings/${begun.body.parking.id}`;
  const parked = await until('it is done', async () => {
    const { body } = await spillway.ask('GET', path);
    return body.state === 'done' && body;
  });
  expect(parked).toMatchObject({ parked: 100, remaining: 100, types: [{ type: 'track', jobs: 100 }] });
  const exported = await fetch(`${spillway.url}${path}.ndjson`);
  expect(exported.headers.get('content-type')).toMatch(/ndjson/);
  const lines = await exported.text();
  expect(lines.trim().split('\n')).toHaveLength(101);
  const page = await spillway.ask('GET', '/i/default/q/bull%3Amail');
  expect(page.text).toMatch(/Parked jobs/);
  const drawer = /href="(\/action\?action=queue\.unpark[^"]*)"/
    .exec(page.text)?.[1]
    ?.replaceAll('&amp;', '&');
  expect((await spillway.ask('GET', drawer ?? '/none')).text).toMatch(/Brings 100 jobs back/);
  const parkDrawer = await spillway.ask(
    'GET',
    '/action?action=queue.park&instance=default&queues=bull%3Amail',
  );
  expect(parkDrawer.text).toMatch(/200 jobs out of Redis/);
  const back = await spillway.ask('POST', `${path}/restore`, {
    ratePerSecond: 1_000,
    guard: false,
    reason: 'room again',
  });
  expect(back.status).toBe(200);
  await until('they are back', async () => (await redis.client.llen('bull:mail:wait')) === 300);
  const list = await spillway.ask('GET', '/api/v1/parkings?instance=default');
  const onDisk = async (name: string) =>
    (await readFile(join(directory, name))).includes(PRIVATE.slice(0, 60));
  await until(
    'nothing of their data is left on disk',
    async () => !(await onDisk('parked.db')) && !(await onDisk('parked.db-wal')),
  );
  expect(list.body).toMatchObject({ problem: null, parkings: [{ restored: 100, remaining: 0 }] });
  const send = (body: string) =>
    fetch(`${spillway.url}/api/v1/parkings/import`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-ndjson', 'Idempotency-Key': 'once' },
      body,
    });
  const imported = await (await send(lines)).json();
  expect(imported).toMatchObject({ origin: 'import', remaining: 100 });
  const again = await send(lines);
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  expect(await again.json()).toEqual(imported);
  expect((await send(`${lines}\n`)).status).toBe(422);
  const actions = await spillway.ask('GET', '/api/v1/audit');
  expect(actions.body.records.map((action: { action: string }) => action.action)).toEqual([
    'queue.park',
    'queue.unpark',
    'queue.park',
  ]);
});

it('each change is tried first by a dry run, needs no reason and is made once', async () => {
  const lines = async (body: string) => {
    const answer = await fetch(`${spillway.url}/api/v1/parkings/import?dryRun=true`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-ndjson' },
      body,
    });
    return { status: answer.status, body: await answer.json() };
  };
  const list = async () => (await spillway.ask('GET', '/api/v1/parkings')).body.parkings;
  const before = await list();
  const [held] = before.filter(({ remaining }: { remaining: number }) => remaining > 0);
  const path = `/api/v1/parkings/${held.id}`;
  const exported = await (await fetch(`${spillway.url}${path}.ndjson`)).text();
  expect(await lines(exported)).toMatchObject({ status: 200, body: { origin: 'import', parked: 100 } });
  expect(await lines(`${exported}no\n`)).toMatchObject({ status: 422, body: { detail: /line 102/ } });
  const restore = await spillway.ask('POST', `${path}/restore?dryRun=true`, { ratePerSecond: 5 });
  expect(restore.body).toMatchObject({ phase: 'restore', state: 'running', ratePerSecond: 5 });
  const change = await spillway.ask('PATCH', `${path}?dryRun=true`, { ratePerSecond: 7, guard: false });
  expect(change.body).toMatchObject({ phase: 'park', ratePerSecond: 7, guard: false });
  expect((await spillway.ask('PATCH', `${path}?dryRun=true`, { state: 'paused' })).status).toBe(422);
  expect(await list()).toEqual(before);
  const key = { 'Idempotency-Key': 'park once' };
  const asked = { instance: 'default', queue: 'mail', jobTypes: ['bill'], most: 1 };
  const first = await spillway.ask('POST', '/api/v1/parkings', asked, key);
  const again = await spillway.ask('POST', '/api/v1/parkings', asked, key);
  expect([first.body.parking.reason, again.body]).toEqual(['', first.body]);
  expect(await list()).toHaveLength(before.length + 1);
  const [record] = (await spillway.ask('GET', '/api/v1/audit')).body.records;
  expect(record).toMatchObject({
    action: 'queue.park',
    reason: '',
    args: { parking: first.body.parking.id },
  });
});

it('says what is wrong with a request', async () => {
  expect((await spillway.ask('GET', '/api/v1/parkings/none')).status).toBe(404);
  expect(
    (await spillway.ask('POST', '/api/v1/parkings', { instance: 'default', queue: 'mail', most: 0 })).status,
  ).toBe(422);
  const { body } = await spillway.ask('GET', '/api/v1/parkings');
  const restore = `/api/v1/parkings/${body.parkings.at(-1).id}/restore`;
  const unclear = await spillway.ask('POST', restore, { guard: 'no', reason: 'room' });
  expect(unclear.status).toBe(422);
  expect(unclear.text).toMatch(/guard.*must be true or false/);
  const bad = await fetch(`${spillway.url}/api/v1/parkings/import`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-ndjson' },
    body: 'no\n',
  });
  expect(bad.status).toBe(422);
});

it('answers /healthz while lines as long as may be, and one that is longer, are imported', async () => {
  const { body } = await spillway.ask('GET', '/api/v1/parkings');
  const { id } = body.parkings.find(({ remaining }: { remaining: number }) => remaining > 0);
  const exported = await (await fetch(`${spillway.url}/api/v1/parkings/${id}.ndjson`)).text();
  const [head = ''] = exported.split('\n');
  const room = 16 * 1024 * 1024 - 200;
  const job = (fields: string) => `{"id":"long","state":"waiting","score":"","bytes":1,"fields":[${fields}]}`;
  const field = '["a","b"],';
  for (const [line, said] of [
    [job(`["data","${'x'.repeat(room)}"]`), /"origin":"import"/],
    [job(`${field.repeat(room / field.length)}["c","d"]`), /line 2: holds more than 10000 values/],
    ['['.repeat(room), /line 2: holds more than 10000 values/],
    ['x'.repeat(20 * 1024 * 1024), /line 2: is longer than/],
  ] as const) {
    const { answer, worstCpuMs } = await whileAsked(
      fetch(`${spillway.url}/api/v1/parkings/import`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/x-ndjson' },
        body: `${head}\n${line}\n`,
      }).then((response) => response.text()),
    );
    expect(answer).toMatch(said);
    expect(worstCpuMs).toBeLessThan(1_000);
  }
});

/** Asks /healthz until there is an answer, and tells how long the console was at work, at most, before it gave one. */
async function whileAsked(asked: Promise<string>): Promise<{ answer: string; worstCpuMs: number }> {
  let isOver = false;
  const over = asked.finally(() => {
    isOver = true;
  });
  let worstCpuMs = 0;
  while (!isOver) {
    // Its own CPU time: others that use the machine make it late, and are none of its doing.
    const before = await cpuMsOf(spillway.pid);
    expect((await fetch(`${spillway.url}/healthz`)).status).toBe(200);
    worstCpuMs = Math.max(worstCpuMs, (await cpuMsOf(spillway.pid)) - before);
  }
  return { answer: await over, worstCpuMs };
}

it('a backup while it writes holds all that was acknowledged before, and a console starts on it', async () => {
  const acknowledged: string[] = [];
  let isOver = false;
  const write = async (writer: number): Promise<void> => {
    // The API lists 500.
    for (let i = 0; !isOver && i < 200; i += 1) {
      const text = `note ${writer}-${i}`;
      const { status } = await spillway.ask('POST', '/api/v1/markers', { instance: 'default', text });
      if (status < 300) acknowledged.push(text);
    }
  };
  const writers = [1, 2].map(write);
  const to = join(directory, '..', `${basename(directory)}-backups`);
  let restored: RunningConsole | null = null;
  try {
    await until('notes are written', () => acknowledged.length > 20);
    const before = [...acknowledged];
    const run = promisify(execFile);
    const main = packagePath('dist/spillway/main.js');
    const { stdout } = await run(process.execPath, [main, 'backup', '--to', to, '--data', directory]);
    isOver = true;
    await Promise.all(writers);
    const copy = stdout.split('\n')[0] ?? '';
    expect(await readdir(to)).toEqual([basename(copy)]);
    expect((await readdir(copy)).toSorted()).toEqual([
      'history.db',
      'parked.db',
      'session.key',
      'spillway.db',
    ]);
    for (const name of ['.', ...(await readdir(copy))])
      expect((await stat(join(copy, name))).mode & 0o077).toBe(0);
    const parkings = async (one: RunningConsole) => (await one.ask('GET', '/api/v1/parkings')).body.parkings;
    const known = await parkings(spillway);
    restored = await startConsole({ redisUrl: redis.url, dataDirectory: copy });
    const kept = (await restored.ask('GET', '/api/v1/markers?limit=500')).body.markers.map(
      ({ text }: { text: string }) => text,
    );
    expect(kept).toEqual(expect.arrayContaining(before));
    expect((await parkings(restored)).map(idAndRest)).toEqual(known.map(idAndRest));
    expect(known.length).toBeGreaterThan(1);
    const nothing = await run(process.execPath, [main, 'backup', '--to', to, '--data', to]).catch((e) => e);
    expect([nothing.code, nothing.stderr]).toEqual([1, expect.stringMatching(/nothing of a console/)]);
  } finally {
    isOver = true;
    await Promise.all(writers);
    await restored?.stop();
    await rm(to, { recursive: true, force: true });
  }
});

function idAndRest({ id, remaining }: { readonly id: string; readonly remaining: number }): unknown {
  return [id, remaining];
}

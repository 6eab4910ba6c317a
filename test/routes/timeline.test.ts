import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { hashToken, newToken } from '../../server/auth/wrong-tokens.js';
import { type RunningConsole, startConsole } from '../support/console.js';
import { until } from '../support/until.js';

const tokens = { viewer: newToken(), operator: newToken(), colleague: newToken(), admin: newToken() };
type Who = keyof typeof tokens;
const env = {
  SPILLWAY_TOKENS: Object.entries(tokens)
    .map(([name, token]) => `${name}:${name === 'colleague' ? 'operator' : name}:${hashToken(token)}`)
    .join(','),
};
let redis: OwnRedis;
let console_: RunningConsole;
let queue: Queue;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-account-'));
  redis = await startRedis({ maxmemoryBytes: 100 * 1024 * 1024 });
  queue = new Queue('monitors', { connection: { port: redis.port } });
  // Paused with a backlog: a finding that lasts.
  await queue.pause();
  await queue.addBulk(
    Array.from({ length: 60 }, () => ({ name: 'check', data: { secret: 'data-of-a-job' } })),
  );
  console_ = await startConsole({ redisUrl: redis.url, env, dataDirectory: directory });
  await until('the finding is reported', async () => (await entries('kinds=finding')).length > 0, {
    withinMs: 60_000,
    everyMs: 250,
  });
});
afterAll(async () => {
  await console_?.stop();
  await queue?.close();
  await redis?.stop();
  await rm(directory, { recursive: true, force: true });
});

function ask(method: string, path: string, body?: unknown, who: Who = 'operator') {
  return console_.ask(method, `/api/v1${path}`, body, { authorization: `Bearer ${tokens[who]}` });
}
type Entry = {
  id: string;
  kind: string;
  text: string;
  at: string;
  notes: { text: string; id: string }[];
} & Record<string, ReturnType<typeof JSON.parse>>;
const entries = async (query = ''): Promise<Entry[]> => (await ask('GET', `/timeline?${query}`)).body.entries;
const pause = (reason: string) =>
  ask('POST', '/actions/queue.concurrency', {
    instance: 'default',
    queues: ['bull:monitors'],
    args: { value: 7 },
    reason,
  });

describe('the account', () => {
  it('holds findings and actions in one order, with links, and no job data', async () => {
    expect((await pause('too much at once')).status).toBe(200);
    const all = await entries('limit=500');
    expect(all.map(({ at }) => at)).toEqual([...all.map(({ at }) => at)].sort().reverse());
    const [action] = all.filter(({ kind }) => kind === 'action.queue.concurrency');
    expect(action).toMatchObject({
      actor: 'operator',
      queue: 'bull:monitors',
      audited: { reason: 'too much at once', status: 'applied' },
      links: {
        self: `/timeline?entry=${action?.id}#entry-${action?.id}`,
        about: '/i/default/q/bull%3Amonitors',
      },
    });
    expect(all.find(({ kind, queue }) => kind === 'finding.began' && queue !== null)).toMatchObject({
      state: 'warning',
      queue: 'bull:monitors',
    });
    expect(all.map(({ kind }) => kind)).toContain('console.started');
    expect(JSON.stringify(all)).not.toContain('data-of-a-job');
    expect((await ask('GET', `/timeline/${action?.id}`, undefined, 'viewer')).body).toEqual(action);
  });

  it('is filtered by kind, queue, instance, text and time', async () => {
    const kindsOf = async (query: string) => new Set((await entries(query)).map(({ kind }) => kind));
    expect(await kindsOf('kinds=action,console.started')).toEqual(
      new Set(['action.queue.concurrency', 'console.started']),
    );
    expect(await kindsOf('queue=monitors&kinds=console,action')).toEqual(
      new Set(['action.queue.concurrency']),
    );
    expect(await kindsOf('search=TOO%20MUCH')).toEqual(new Set(['action.queue.concurrency']));
    expect(await entries('search=%25')).toEqual([]);
    expect(await entries('instance=nowhere')).toEqual([]);
    const [newest] = await entries('limit=1');
    expect((await entries(`from=${newest?.at}`)).map(({ id }) => id)).toEqual([newest?.id]);
    expect((await entries(`to=${newest?.at}`)).map(({ id }) => id)).not.toContain(newest?.id);
  });

  it('comes page by page without a gap or a repeat', async () => {
    const whole = (await entries('limit=500')).map(({ id }) => id);
    const paged: string[] = [];
    let cursor: string | null = null;
    do {
      const { body }: { body: ReturnType<typeof JSON.parse> } = await ask(
        'GET',
        `/timeline?limit=2${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`,
      );
      paged.push(...body.entries.map(({ id }: Entry) => id));
      cursor = body.nextCursor;
    } while (cursor);
    expect(paged).toEqual(whole);
  });

  it.each([
    ['from=yesterday', 'from'],
    ['from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z', 'to'],
    ['cursor=abc', 'cursor'],
    ['limit=0', 'limit'],
  ])('?%s is refused, and the field is named', async (query, field) => {
    const answer = await ask('GET', `/timeline?${query}`);
    expect(answer.status).toBe(422);
    expect(answer.body.errors).toMatchObject([{ field }]);
  });
});

describe('notes', () => {
  const note = (about: string, text: string, who: Who = 'operator') =>
    ask('POST', '/markers', { kind: 'note', text, about }, who);

  it('stand with their entry, and are changed and taken back by whoever wrote them, audited', async () => {
    const [began] = await entries('kinds=finding.began');
    const id = began?.id ?? '';
    const { status, body } = await note(id, 'the import did this');
    expect(status).toBe(200);
    expect(body).toMatchObject({ about: id, actor: 'operator', queue: 'bull:monitors' });
    expect((await ask('GET', `/timeline/${id}`)).body.notes).toMatchObject([{ text: 'the import did this' }]);
    expect((await ask('PATCH', `/markers/${body.id}`, { text: 'no' }, 'colleague')).status).toBe(403);
    expect((await ask('PATCH', `/markers/${body.id}`, { text: 'it was the deploy' })).status).toBe(200);
    expect((await ask('GET', `/timeline/${id}`)).body.notes).toMatchObject([{ text: 'it was the deploy' }]);
    expect((await ask('DELETE', `/markers/${body.id}`, undefined, 'admin')).status).toBe(200);
    expect((await ask('GET', `/timeline/${id}`)).body.notes).toEqual([]);
    const audited = (await ask('GET', '/audit?action=note.edit')).body.records;
    expect(audited).toMatchObject([
      { actor: 'operator', before: { text: 'the import did this' }, after: { text: 'it was the deploy' } },
    ]);
    expect((await ask('GET', '/audit?action=note.remove')).body.records).toMatchObject([{ actor: 'admin' }]);
  });

  it('on what there is not are refused, as is what is no note', async () => {
    expect((await note('nothing', 'x')).status).toBe(404);
    const [began] = await entries('kinds=finding.began');
    expect((await ask('DELETE', `/markers/${began?.id}`, undefined, 'admin')).status).toBe(404);
    expect((await note(began?.id ?? '', 'x', 'viewer')).status).toBe(403);
  });
});

describe('an incident', () => {
  it('is marked, reported, accounted for, closed and forgotten', async () => {
    const [began] = await entries('kinds=finding.began');
    const order = {
      title: 'Monitors stand',
      from: began?.at,
      affects: 'Checking of your sites',
      severity: 'warning',
    };
    expect((await ask('POST', '/incidents?dryRun=true', order)).body).toMatchObject({
      title: 'Monitors stand',
    });
    expect((await ask('GET', '/incidents')).body.incidents).toEqual([]);
    const made = await ask('POST', '/incidents', { ...order, reason: 'customers call' });
    expect(made.status).toBe(200);
    const path = `/incidents/${made.body.id}`;
    const { body } = await ask('GET', path, undefined, 'viewer');
    expect(body).toMatchObject({
      createdBy: 'operator',
      to: null,
      account: {
        queues: ['bull:monitors'],
        openFindings: 1,
        durations: { detectedAfterSeconds: 0, resolvedAfterSeconds: null },
        delayed: { atLeastJobs: 60, waitedJobSeconds: expect.any(Number), source: 'history' },
        loss: { verdict: 'none-known' },
      },
    });
    expect((await ask('GET', `${path}/status`)).body.text).toMatch(
      /^Checking of your sites: delayed since .* UTC\. We changed how much is worked on at once at .*; you will hear more by .* UTC\.$/,
    );
    const draft = await ask('GET', `${path}.md`);
    expect(draft.headers.get('content-type')).toMatch('text/markdown');
    expect(draft.text).toMatch(/^# Post-mortem: Monitors stand\n/);
    expect(draft.text).toContain('too much at once');
    expect(draft.text).toContain('at least 60 jobs');
    expect(draft.text).toContain(`![What happened, as bars in time](/api/v1${path}.svg)`);
    const picture = await ask('GET', `${path}.svg`, undefined, 'viewer');
    expect(picture.headers.get('content-type')).toBe('image/svg+xml; charset=utf-8');
    expect(picture.text).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    // By itself: it says all that it shows, brings its own looks, asks for nothing and leads nowhere.
    expect(picture.text).toMatch(/aria-label="Monitors stand[^"]*Actions: [^"]*Concurrency/i);
    expect(picture.text).not.toMatch(/<a |href|url\(|@import|<script/);
    const css = /<style>(.*?)<\/style>/s.exec(picture.text)?.[1] ?? '';
    const hash = createHash('sha256').update(css).digest('base64');
    expect(picture.headers.get('content-security-policy')).toContain(`style-src 'self' 'sha256-${hash}'`);
    const later = { title: 'Monitors stood', to: new Date().toISOString() };
    expect((await ask('PATCH', `${path}?dryRun=true`, later)).body).toMatchObject(later);
    expect((await ask('GET', path)).body).toMatchObject({ title: 'Monitors stand', to: null });
    const closed = await ask('PATCH', path, { to: new Date().toISOString(), notes: { cause: 'A pause.' } });
    expect(closed.body).toMatchObject({ notes: { cause: 'A pause.' } });
    expect((await ask('GET', `${path}.md`)).text).toContain('## Cause\n\nA pause.');
    expect((await entries('kinds=incident')).map(({ kind }) => kind)).toEqual([
      'incident.closed',
      'incident.opened',
    ]);
    expect((await ask('GET', '/incidents')).body.incidents).toHaveLength(1);
    expect((await ask('DELETE', path, undefined, 'colleague')).status).toBe(403);
    expect((await ask('DELETE', `${path}?dryRun=true`)).status).toBe(200);
    expect((await ask('DELETE', `${path}?reason=a%20test`)).status).toBe(200);
    expect((await ask('GET', path)).status).toBe(404);
    expect((await ask('GET', `${path}.md`)).status).toBe(404);
    expect((await ask('GET', `${path}.svg`)).status).toBe(404);
    expect((await ask('GET', '/audit?action=incident')).body.records).toMatchObject([
      { action: 'incident.remove', reason: 'a test' },
      { action: 'incident.change', reason: '' },
      { action: 'incident.open', reason: 'customers call' },
    ]);
  });

  it.each([
    ['without a title', { from: '2026-01-01T00:00:00Z' }, 'title'],
    ['of tomorrow', { title: 'x', from: '2999-01-01T00:00:00Z' }, 'from'],
    [
      'that ends before it begins',
      { title: 'x', from: '2026-01-02T00:00:00Z', to: '2026-01-01T00:00:00Z' },
      'to',
    ],
    ['of a year', { title: 'x', from: '2025-01-02T00:00:00Z', to: '2026-01-01T00:00:00Z' }, 'to'],
    [
      'of a Redis that there is not',
      { title: 'x', from: '2026-01-02T00:00:00Z', instances: ['no'] },
      'instances',
    ],
  ])('%s is refused, and the field is named', async (_, order, field) => {
    const answer = await ask('POST', '/incidents', order);
    expect(answer.status).toBe(422);
    expect(answer.body.errors).toMatchObject([{ field }]);
  });

  it('is read by a viewer and marked by none', async () => {
    expect((await ask('GET', '/incidents', undefined, 'viewer')).status).toBe(200);
    const order = { title: 'x', from: new Date().toISOString() };
    expect((await ask('POST', '/incidents', order, 'viewer')).status).toBe(403);
  });
});

it('a range is a post-mortem draft without being an incident', async () => {
  const from = new Date(Date.now() - 600_000).toISOString();
  const draft = await ask('GET', `/timeline.md?from=${from}`, undefined, 'viewer');
  expect(draft.status).toBe(200);
  expect(draft.text).toContain('## Timeline');
  expect(draft.text).toContain('too much at once');
  expect((await ask('GET', '/timeline.md')).status).toBe(422);
});

it('a console that is stopped says so before it goes', async () => {
  await console_.signal('SIGTERM');
  console_ = await startConsole({ redisUrl: redis.url, env, dataDirectory: directory });
  expect((await entries('kinds=console')).map(({ kind }) => kind).slice(0, 2)).toEqual([
    'console.started',
    'console.stopped',
  ]);
});

it('a console that is killed and comes back does not begin again what still is so', async () => {
  const before = (await entries('kinds=finding.began')).length;
  await console_.signal('SIGKILL');
  console_ = await startConsole({ redisUrl: redis.url, env, dataDirectory: directory });
  await until('it is found again', async () => (await ask('GET', '/findings')).body.findings.length > 0);
  await queue.resume();
  await until(
    'its end is recorded',
    async () => (await entries('kinds=finding.ended&queue=monitors')).length > 0,
    {
      withinMs: 180_000,
      everyMs: 500,
    },
  );
  expect(await entries('kinds=finding.began&search=paused')).toHaveLength(before);
}, 240_000);

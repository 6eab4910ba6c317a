import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Job, Queue, Worker } from 'bullmq';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { unknownActions } from '../../server/actions/index.js';
import { createApp } from '../../server/app.js';
import { hashToken, newToken } from '../../server/auth/wrong-tokens.js';
import { loadConfig } from '../../server/config/config.js';
import { READ_ONLY } from '../../server/model/permits.js';
import { createLog } from '../../server/process/log.js';
import { OwnHealth } from '../../server/process/own-health.js';
import { probe } from '../../server/routes/api/canary.js';
import { startConsole } from '../../server/start-console.js';
import { until } from '../support/until.js';

/** What they see, what they may act on, and what is not theirs: no answer holds a name of it. */
const OWN = 'bull:pay-in';
const SHOWN = 'bull:pay-log';
const OTHER = 'bull:ledger7';
const OTHERS = /ledger7|hidden-type|hidden-worker|hidden-note|hidden-data|hidden-rule|far-away/;

const tokens = { admin: newToken(), bound: newToken() };
const grants = [
  { role: 'admin', instances: ['default'], queues: ['bull:pay-in'] },
  { role: 'viewer', instances: ['default'], queues: ['bull:pay-log'] },
];
type Who = keyof typeof tokens;

let redis: OwnRedis;
let far: OwnRedis;
let directory: string;
let app: ReturnType<typeof createApp>;
let stop: () => Promise<void>;
const ends: (() => Promise<unknown>)[] = [];
/** Ids of what is of the other queue, by the path that it stands in. */
let ids: Readonly<Record<string, string>>;

beforeAll(async () => {
  [redis, far] = await Promise.all([
    startRedis({ maxmemoryBytes: 100 * 1024 * 1024 }),
    startRedis({ maxmemoryBytes: 100 * 1024 * 1024 }),
  ]);
  directory = await mkdtemp(join(tmpdir(), 'spillway-bound-'));
  for (const [name, port] of [
    ['pay-in', redis.port],
    ['pay-log', redis.port],
    ['ledger7', redis.port],
    ['ledger7-far', far.port],
  ] as const) {
    const queue = new Queue(name, { connection: { port } });
    ends.push(() => queue.close());
    const type = name.startsWith('pay') ? 'pay' : 'hidden-type';
    const data = { of: name.startsWith('pay') ? 'own-data' : 'hidden-data' };
    await queue.addBulk(
      Array.from({ length: 40 }, (_, i) => ({ name: type, data, opts: { jobId: `${name}-${i}` } })),
    );
  }
  const worker = new Worker('ledger7', null, { connection: { port: redis.port }, name: 'hidden-worker' });
  await worker.waitUntilReady();
  for (let i = 0; i < 5; i++) {
    const job = (await worker.getNextJob('t')) as Job;
    await job.moveToFailed(new Error('hidden-data is wrong'), 't');
  }
  ends.push(() => worker.close());
  const config = loadConfig(
    { data: directory },
    {},
    {
      logLevel: 'silent',
      instances: [
        { name: 'default', url: redis.url, pollIntervalMs: 250 },
        { name: 'far-away', url: far.url, pollIntervalMs: 250 },
      ],
      groups: { all: ['bull:ledger7*', 'bull:pay-*'], pay: ['bull:pay-in'] },
      replayQueues: ['ledger7'],
      alerts: {
        rules: [
          {
            id: 'hidden-rule',
            name: 'hidden-rule',
            scope: { queue: 'bull:ledger7' },
            forSeconds: 0,
            condition: { kind: 'compare', signal: 'queue_backlog_jobs', is: 'above', threshold: 1 },
          },
        ],
      },
      tokens: [
        { name: 'chief', role: 'admin', sha256: hashToken(tokens.admin) },
        { name: 'payments', role: 'admin', sha256: hashToken(tokens.bound), grants },
      ],
    },
  );
  const health = new OwnHealth({ now: () => Date.now(), warn: () => undefined });
  const started = await startConsole(config, createLog('silent'), health);
  stop = started.stop;
  app = createApp({
    config,
    deps: started.deps,
    noteFault: (part, error) => {
      throw new Error(part, { cause: error });
    },
  });
  await until('all queues are seen', async () => {
    const { instances } = JSON.parse((await ask('admin', 'GET', '/api/v1/overview')).text);
    return (
      instances.every(({ totals }: { totals: { queues: number } }) => totals.queues > 0) &&
      instances[0].totals.queues === 3
    );
  });
  ids = await makeOthers();
}, 60_000);

afterAll(async () => {
  await stop?.();
  for (const end of ends) await end();
  await Promise.all([redis?.stop(), far?.stop()]);
  if (directory) await rm(directory, { recursive: true, force: true });
});

async function ask(who: Who, method: string, path: string, body?: unknown) {
  const isForm = body !== undefined && !path.startsWith('/api/');
  const answer = await app.request(path, {
    method,
    headers: {
      host: 'localhost',
      accept: 'text/html, application/json',
      authorization: `Bearer ${tokens[who]}`,
      ...(body === undefined
        ? {}
        : {
            'content-type': isForm ? 'application/x-www-form-urlencoded' : 'application/json',
            'content-length': '1',
          }),
    },
    ...(body === undefined
      ? {}
      : {
          body: isForm
            ? new URLSearchParams(body as Record<string, string>).toString()
            : JSON.stringify(body),
        }),
  });
  // Of a stream what it begins with.
  const isStream = answer.headers.get('content-type')?.startsWith('text/event-stream') === true;
  if (!isStream) return { status: answer.status, text: await answer.text() };
  const reader = answer.body?.getReader();
  const first = await reader?.read();
  await reader?.cancel();
  return { status: answer.status, text: new TextDecoder().decode(first?.value) };
}

async function made(path: string, body: unknown): Promise<string> {
  const { status, text } = await ask('admin', 'POST', `/api/v1${path}`, body);
  expect([path, status, text]).toEqual([path, 200, text]);
  return text;
}

/** Something of each kind that is of the other queue, made by an admin. */
async function makeOthers() {
  const replay = JSON.parse(
    await made('/replays', {
      instance: 'default',
      queues: [OTHER],
      from: 'failed',
      ratePerSecond: 1,
      reason: 'hidden-note',
    }),
  );
  await ask('admin', 'PATCH', `/api/v1/replays/${(replay.replay ?? replay).id}`, {
    state: 'paused',
    reason: 'hidden-note',
  });
  const parked = JSON.parse(
    await made('/parkings', { instance: 'default', queue: OTHER, most: 3, reason: 'hidden-note' }),
  );
  const note = JSON.parse(
    await made('/markers', { instance: 'default', kind: 'note', queue: OTHER, text: 'hidden-note' }),
  );
  const incident = JSON.parse(
    await made('/incidents', {
      title: 'hidden-note',
      from: new Date(Date.now() - 60_000).toISOString(),
      instances: ['default'],
    }),
  );
  const silence = JSON.parse(
    await made('/silences', { matchers: { queue: OTHER }, durationSeconds: 3600, reason: 'hidden-note' }),
  );
  await made('/actions/queue.concurrency', {
    instance: 'default',
    queues: [OTHER],
    args: { value: 7 },
    reason: 'hidden-note',
  });
  const firing = async () => {
    const { alerts } = JSON.parse((await ask('admin', 'GET', '/api/v1/alerts')).text);
    return alerts.find(({ subject }: { subject: { queue: string } }) => subject.queue === OTHER);
  };
  const alert = await until('an alert about the other queue', firing);
  const { records } = JSON.parse((await ask('admin', 'GET', '/api/v1/audit')).text);
  const { workers } = JSON.parse((await ask('admin', 'GET', '/api/v1/instances/default/workers')).text);
  return {
    replays: (replay.replay ?? replay).id,
    parkings: parked.parking.id,
    markers: (note.marker ?? note).id,
    incidents: (incident.incident ?? incident).id,
    silences: (silence.silence ?? silence).id,
    alerts: alert.id,
    audit: records[0].id,
    workers: workers.find(({ queue }: { queue: string }) => queue === OTHER)?.id ?? 'none',
  };
}

const routes = () =>
  [
    ...new Set(
      app.routes.filter(({ method }) => method !== 'ALL').map(({ method, path }) => `${method} ${path}`),
    ),
  ].filter(
    // Before the gate, or for everybody.
    (route) => !/ \/(sign-|static|healthz|readyz|favicon|docs\/|\*)/.test(route),
  );

/** A path with its parameters as they are of a queue. @throws for a parameter that nobody has said a value for. */
function filled(path: string, of: 'own' | 'other'): readonly string[] {
  const queue = of === 'own' ? OWN : OTHER;
  const kind = /^\/(?:api\/v1\/)?(?:timeline\/notes|alerts\/silences|alerts\/rules)/.exec(path)?.[0];
  const of_ = Object.entries(ids).find(([name]) => path.includes(`/${name}/`))?.[1];
  const id = kind?.endsWith('notes')
    ? ids.markers
    : kind?.endsWith('silences')
      ? ids.silences
      : kind?.endsWith('rules')
        ? 'hidden-rule'
        : (of_ ?? ids.markers ?? '');
  const values: Readonly<Record<string, string>> = {
    instance: 'default',
    queue,
    worker: ids.workers ?? '',
    type: of === 'own' ? 'pay' : 'hidden-type',
    jobId: of === 'own' ? 'pay-in-1' : 'ledger7-1',
    id: path.includes('alert-rules') ? 'hidden-rule' : (id ?? ''),
    action: 'queue.pause',
    name: 'hidden-channel',
    code: 'queue.stuck',
    chapter: 'api',
  };
  const path_ = path.replace(/:(\w+)(\{[^}]+\})?/g, (_, name: string, pattern?: string) => {
    if (name === 'file') return `${id}${/\\\.(\w+)/.exec(pattern ?? '')?.[0].replace('\\', '')}`;
    const value = path.includes('outbox') && name === 'id' ? '1' : values[name];
    if (value === undefined) throw new Error(`${path}: say what :${name} is for the queue of others`);
    return encodeURIComponent(value);
  });
  return of === 'own' || !path.includes(':instance')
    ? [path_]
    : [path_, path_.replace('default', 'far-away').replace('ledger7', 'ledger7-far')];
}

/** What may be asked of a route by its query, for the queue of others. */
const QUERIES: readonly string[] = [
  ...[
    'queue',
    'job-type',
    'worker',
    'instance',
    'memory',
    'incident',
    'overview',
    'queues',
    'fleet',
    'replays',
    'alerts',
    'channels',
    'timeline',
    'frame',
  ].flatMap((view) =>
    ['default', 'far-away'].map(
      (instance) =>
        `/live?view=${view}&instance=${instance}&queue=bull:ledger7&type=hidden-type&worker=WORKER&id=INCIDENT`,
    ),
  ),
  '/api/v1/audit?queue=bull:ledger7',
  '/api/v1/timeline?queue=bull:ledger7',
  '/api/v1/timeline?search=hidden',
  '/api/v1/timeline.md?from=2020-01-01T00:00:00Z',
  '/api/v1/parkings?queue=bull:ledger7',
  '/api/v1/history?signal=queue_backlog_jobs&instance=default&queue=bull:ledger7',
  '/api/v1/history?signal=backlog_jobs&instance=far-away',
  '/api/v1/instances/default/queues?search=ledger',
  '/api/v1/markers?instance=far-away',
  '/find?q=ledg',
  '/find/job?id=ledger7-1',
  '/timeline?search=hidden',
  '/audit?queue=bull:ledger7',
  '/action?action=queue.pause&instance=default&queue=bull:ledger7',
  '/action?action=queue.pause&instance=default&queues=bull:ledger7',
  '/action/group?instance=default&match=bull:*',
  '/action/forecast?action=queue.concurrency&instance=default&queue=bull:ledger7&value=2',
  '/replays/look?instance=default&match=bull:*&from=failed',
  '/queues?search=ledg',
  '/workers?search=hidden',
];

/** For each change a body that would make it of the queue of others: with `all` also where a glob takes all queues. */
const reason = 'a reason';
const spec = { instance: 'default', from: 'failed', ratePerSecond: 5, reason };
const order = { state: 'running', reason };
const rule = { id: 'mine', name: 'mine', condition: { kind: 'finding', code: 'queue.stuck' } };
const BODIES: Readonly<Record<string, readonly unknown[]>> = {
  'POST /api/v1/instances/:instance/queues/:queue/memory/count': [{}],
  'DELETE /api/v1/instances/:instance/queues/:queue/memory/count': [undefined],
  'POST /api/v1/actions/:action': [
    { instance: 'default', queues: [OTHER] },
    { instance: 'default', queues: ['ledger7'] },
    { instance: 'default', match: '*ledger*' },
    { instance: 'far-away', match: '*' },
    { instance: 'default', match: '*' },
    { instance: 'default', queues: [OWN, OTHER] },
  ],
  'PATCH /api/v1/instances/:instance/queues/:queue': [{ paused: true, reason }],
  'PATCH /api/v1/instances/:instance/queues': [{ paused: true, reason }],
  'PATCH /api/v1/instances/:instance/queues/:queue/job-types/:type': [{ slowThresholdMs: 5, reason }],
  'PATCH /api/v1/instances/:instance/workers/:worker': [{ paused: true, reason }],
  'PATCH /api/v1/instances/:instance/queues/:queue/workers': [{ concurrency: 2, reason }],
  'PATCH /api/v1/instances/:instance/workers': [{ concurrency: 2, reason }],
  'POST /api/v1/instances/:instance/relief': [
    { action: 'raise-maxmemory', maxBytes: 200 * 1024 * 1024, reason },
    { action: 'trim-events', reason },
    { action: 'trim-events', match: '*ledger*', reason },
  ],
  'POST /api/v1/markers': [
    { instance: 'default', kind: 'note', queue: OTHER, text: 'x' },
    { kind: 'note', text: 'x' },
    { instance: 'default', kind: 'note', text: 'x' },
  ],
  'PATCH /api/v1/markers/:id': [{ text: 'x' }],
  'DELETE /api/v1/markers/:id': [undefined],
  'POST /api/v1/incidents': [{ title: 'x', from: '2026-01-01T00:00:00Z' }],
  'PATCH /api/v1/incidents/:id': [{ title: 'x' }],
  'DELETE /api/v1/incidents/:id': [undefined],
  'POST /api/v1/parkings': [{ instance: 'default', queue: OTHER, reason }],
  'POST /api/v1/parkings/import': [{}],
  'PATCH /api/v1/parkings/:id': [{ ratePerSecond: 5, reason }],
  'POST /api/v1/parkings/:id/restore': [{ reason }],
  'POST /api/v1/replays': [
    { ...spec, queues: [OTHER] },
    { ...spec, match: '*ledger*' },
    { ...spec, instance: 'far-away', match: '*' },
  ],
  'PATCH /api/v1/replays': [
    { ...order, match: '*' },
    { ...order, instance: 'default', match: '*ledger*' },
  ],
  'PATCH /api/v1/replays/:id': [order],
  'DELETE /api/v1/replays/:id': [undefined],
  'POST /api/v1/channels/:name/test': [{}],
  'POST /api/v1/outbox/:id/resend': [{}],
  'DELETE /api/v1/outbox/:id': [undefined],
  'POST /api/v1/instances/:instance/queues/:queue/canary': [{ reason }],
  'POST /api/v1/alerts/:id/acknowledge': [{ reason }],
  'POST /api/v1/silences': [
    { matchers: { queue: OTHER }, durationSeconds: 60, reason },
    { matchers: { code: '*' }, durationSeconds: 60, reason },
  ],
  'DELETE /api/v1/silences/:id': [undefined],
  'POST /api/v1/alert-rules/test': [rule],
  'POST /api/v1/alert-rules': [rule],
  'PATCH /api/v1/alert-rules/:id': [{ severity: 'critical' }],
  'DELETE /api/v1/alert-rules/:id': [undefined],
  'POST /action/open': [{ action: 'queue.pause', instance: 'default', queues: OTHER }],
  'POST /action/preview': [{ action: 'queue.pause', instance: 'default', queues: OTHER }],
  'POST /action': [
    { action: 'queue.pause', instance: 'default', queues: OTHER, reason },
    { action: 'redis.raise-maxmemory', instance: 'default', maxBytes: '209715200', reason },
  ],
  'POST /replays': [{ ...spec, ratePerSecond: '5', queues: OTHER, queue: OTHER }],
  'POST /replays/all': [{ state: 'running', match: '*', reason }],
  'POST /replays/:id/order': [{ state: 'running' }],
  'POST /parkings/:id/order': [{ state: 'running' }],
  'POST /channels/:name/test': [{}],
  'POST /outbox/:id/resend': [{}],
  'POST /outbox/:id/remove': [{}],
  'POST /i/:instance/q/:queue/canary': [{}],
  'POST /alerts/silences': [{ queue: OTHER, durationSeconds: '60', comment: reason }],
  'POST /alerts/silences/:id/end': [{}],
  'POST /alerts/rules/try': [{ name: 'x' }],
  'POST /alerts/rules': [{ name: 'x' }],
  'POST /alerts/rules/:id': [{ name: 'x' }],
  'POST /alerts/rules/:id/delete': [{}],
  'POST /alerts/acknowledge': [{ alert: 'ALERT', id: 'ALERT' }],
  'POST /timeline/notes': [{ text: 'x', about: 'MARKER', on: 'MARKER', queue: OTHER, instance: 'default' }],
  'POST /timeline/notes/:id': [{ text: 'x' }, { remove: 'true' }],
  'POST /incidents': [{ title: 'x', from: '2026-01-01T00:00' }],
  'POST /incidents/:id': [{ title: 'x' }],
  'POST /incidents/:id/close': [{}],
  'POST /incidents/:id/remove': [{}],
  'DELETE /api/v1/sessions/:id': [undefined],
  'POST /sessions/:id/end': [{}],
  'POST /i/:instance/q/:queue/memory/count': [{}],
  'POST /i/:instance/q/:queue/memory/count/stop': [{}],
};

const withIds = (text: string): string =>
  text
    .replaceAll('WORKER', encodeURIComponent(ids.workers ?? ''))
    .replaceAll('INCIDENT', ids.incidents ?? '')
    .replaceAll('ALERT', ids.alerts ?? '')
    .replaceAll('MARKER', ids.markers ?? '');

/** All that is of others, as Redis and an admin have it. */
async function stateOfOthers(): Promise<readonly string[]> {
  const dumps = await Promise.all(
    (
      [
        [redis, 'bull:ledger7*'],
        [redis, 'bull:pay-log*'],
        [far, '*'],
      ] as const
    ).map(async ([{ client }, pattern]) => {
      const keys = (await client.keys(pattern)).sort();
      return Promise.all(
        keys.map(async (key) => `${key} ${(await client.dumpBuffer(key)).toString('base64')}`),
      );
    }),
  );
  const maxmemory = await redis.client.config('GET', 'maxmemory');
  const kept = await Promise.all(
    ['replays', 'parkings', 'silences', 'incidents', 'markers', 'alert-rules', 'alerts'].map(async (what) => {
      const listed = JSON.parse((await ask('admin', 'GET', `/api/v1/${what}`)).text);
      const rows: Readonly<Record<string, unknown>>[] = listed[what === 'alert-rules' ? 'rules' : what];
      return rows
        .filter(({ id }) => what !== 'alerts' || id === ids.alerts)
        .map(({ id, state, phase, title, text, severity, acknowledged }) =>
          JSON.stringify([what, id, state, phase, title, text, severity, acknowledged]),
        );
    }),
  );
  return [...dumps.flat(), JSON.stringify(maxmemory), ...kept.flat()];
}

describe('a console that is read-only', () => {
  it('refuses every change with one sentence, draws no control, shows job data, and writes nothing to Redis', async () => {
    const { client } = far;
    const writes = async (): Promise<string | undefined> =>
      /rdb_changes_since_last_save:(\d+)/.exec(await client.info('persistence'))?.[1];
    const before = await writes();
    const own = await mkdtemp(join(tmpdir(), 'spillway-read-only-'));
    const config = loadConfig(
      { data: own, redis: far.url },
      { SPILLWAY_READ_ONLY: 'true', LOG_LEVEL: 'silent' },
    );
    const health = new OwnHealth({ now: () => Date.now(), warn: () => undefined });
    const started = await startConsole(config, createLog('silent'), health);
    const shown = createApp({
      config,
      deps: started.deps,
      noteFault: (part, error) => {
        throw new Error(part, { cause: error });
      },
    });
    const call = (method: string, path: string, type = 'application/json') =>
      shown.request(path, {
        method,
        headers: { host: 'localhost', 'content-type': type },
        ...(method === 'GET' ? {} : { body: type.endsWith('json') ? '{}' : '' }),
      });
    try {
      const job = '/i/default/q/bull%3Aledger7-far/jobs/ledger7-far-1';
      await until('the queue is seen', async () => (await call('GET', job)).status === 200);
      for (const route of routes().filter((one) => !one.startsWith('GET '))) {
        const [method = '', path = ''] = route.split(' ');
        const answer = await call(
          method,
          path,
          path.startsWith('/api') ? undefined : 'application/x-www-form-urlencoded',
        );
        expect([route, answer.status, ((await answer.json()) as { detail: string }).detail]).toEqual([
          route,
          403,
          READ_ONLY,
        ]);
      }
      for (const path of [
        '/',
        '/queues',
        '/workers',
        '/alerts',
        '/replays',
        '/timeline',
        '/i/default',
        '/i/default/q/bull%3Aledger7-far',
        job,
      ]) {
        const text = await (await call('GET', path)).text();
        expect(text).toContain('Read-only:');
        expect([
          path,
          /<form[^>]*method="post"[^>]*>|hx-post="[^"]*"|href="\/action[^"]*"/.exec(text)?.[0],
        ]).toEqual([path, undefined]);
      }
      expect(await (await call('GET', job)).text()).toContain('hidden-data');
      expect(await writes()).toBe(before);
    } finally {
      await started.stop();
      await rm(own, { recursive: true, force: true });
    }
  });
});

describe('actions that are switched off', () => {
  it('are refused with the reason, as steps of a sequence too; others work', async () => {
    const own = await mkdtemp(join(tmpdir(), 'spillway-off-'));
    const config = loadConfig(
      { data: own, redis: far.url },
      { SPILLWAY_ACTIONS_OFF: 'redis.*,queue.pause,queue.canary,replay.*', LOG_LEVEL: 'silent' },
    );
    const health = new OwnHealth({ now: () => Date.now(), warn: () => undefined });
    const { deps, stop: end } = await startConsole(config, createLog('silent'), health);
    const chief = { name: 'chief', role: 'admin', via: 'local' } as const;
    const run = (action: string, args: object, queues: readonly string[]) =>
      deps.runAction(chief, { action, instance: 'default', queues, args, reason: '', dryRun: true });
    try {
      await until('the queue is seen', () => deps.watch.snapshot('default')?.queues.length === 1);
      const why = 'queue.pause is switched off in the configuration of this console (actions.off)';
      await expect(run('queue.pause', {}, ['bull:ledger7-far'])).rejects.toThrow(why);
      await expect(run('redis.raise-maxmemory', { maxBytes: 2 ** 30 }, [])).rejects.toThrow('actions.off');
      const replay = { instance: 'default', queues: ['bull:ledger7-far'], spec: {} };
      await expect(deps.replays.begin(chief, replay as never)).rejects.toThrow(
        'replay.begin is switched off',
      );
      const place = { instance: 'default', queue: 'bull:ledger7-far' };
      const ask = { jobType: 'canary', timeoutMs: 1_000 };
      await expect(probe(deps, { actor: chief }, place, ask)).rejects.toThrow('queue.canary is switched off');
      const steps = [{ action: 'queue.pause', queues: ['bull:ledger7-far'] }];
      expect((await run('sequence', { steps }, []))[0]).toMatchObject({ status: 'refused', summary: why });
      expect((await run('queue.resume', {}, ['bull:ledger7-far']))[0]?.status).toBe('unchanged');
    } finally {
      await end();
      await rm(own, { recursive: true, force: true });
    }
  });

  it('are named in --check where there is no such action', () => {
    expect(unknownActions(['redis.*', 'queue.pasue'])[0]).toMatch(
      /^actions.off: queue.pasue must name an action/,
    );
  });
});

describe('a role that is bound to queues', () => {
  it('shows its own queues, and of their Redis memory and limit', async () => {
    const { instances } = JSON.parse((await ask('bound', 'GET', '/api/v1/overview')).text);
    expect(instances.map(({ name }: { name: string }) => name)).toEqual(['default']);
    expect(instances[0].totals.queues).toBe(2);
    expect(instances[0].nodes[0].maxBytes).toBe(100 * 1024 * 1024);
    const { queues } = JSON.parse((await ask('bound', 'GET', '/api/v1/instances/default/queues')).text);
    expect(queues.map(({ id }: { id: string }) => id).sort()).toEqual([OWN, SHOWN]);
  });

  it('lets no route, page or stream tell the name of another queue, and answers for it as for one that is not there', async () => {
    const leaks: string[] = [];
    const look = async (path: string, isOfOther: boolean): Promise<void> => {
      const { status, text } = await ask('bound', 'GET', path);
      // What was asked for comes back in the answer's words.
      const rest =
        isOfOther || path.includes('hidden-rule')
          ? text.replaceAll(/bull(:|%3A)ledger7(-far)?|ledger7(-far|-1)?|hidden-(type|rule)|far-away/g, '')
          : text;
      const name = OTHERS.exec(rest)?.[0];
      if (name !== undefined)
        leaks.push(
          `${path} tells ${name}: ${rest.slice(Math.max(0, rest.indexOf(name) - 100), rest.indexOf(name) + 60)}`,
        );
      if (status >= 500 || (!isOfOther && status === 401))
        leaks.push(`${path} answers ${status}: ${text.slice(0, 200)}`);
    };
    for (const route of routes().filter((one) => one.startsWith('GET '))) {
      const path = route.slice(4);
      for (const own of filled(path, 'own')) await look(own, false);
      if (!/:(queue|worker|jobId|type|id|file)/.test(path)) continue;
      for (const other of filled(path, 'other')) {
        await look(other, true);
        const { status, text } = await ask('bound', 'GET', other);
        const isEmpty = path === '/api/v1/jobs/:jobId' && !text.includes(OTHER);
        if (status !== 404 && !isEmpty) leaks.push(`${other} answers ${status}, and not 404`);
      }
    }
    for (const query of QUERIES) await look(withIds(query), true);
    expect(leaks).toEqual([]);
  });

  it('takes no change of what is not theirs to act on, by whatever route', async () => {
    const before = await stateOfOthers();
    const changes = routes().filter((one) => !one.startsWith('GET '));
    expect(
      changes.filter((one) => BODIES[one] === undefined),
      'say what would change the queue of others',
    ).toEqual([]);
    const told: string[] = [];
    for (const route of changes) {
      const [method = '', path = ''] = route.split(' ');
      for (const body of BODIES[route] ?? [])
        for (const other of filled(path, 'other')) {
          const sent = body === undefined ? undefined : JSON.parse(withIds(JSON.stringify(body)));
          const suffix = /^PATCH .*instances\/:instance\/(queues|workers)$/.test(route) ? '?match=*' : '';
          const { status, text } = await ask('bound', method, other + suffix, sent);
          const rest = text.replaceAll(
            /bull(:|%3A)ledger7(-far)?|\*?ledger7?\*?(-far|-1)?|hidden-(type|channel|rule)|far-away/g,
            '',
          );
          const name = OTHERS.exec(rest)?.[0];
          if (name !== undefined || status >= 500)
            told.push(`${route} answers ${status}: ${name} ${text.slice(0, 300)}`);
          if (status === 200 && !text.includes('preview-refused') && text.includes(OTHER))
            told.push(`${route} answers 200: ${text.slice(0, 300)}`);
        }
    }
    expect(told).toEqual([]);
    expect(await stateOfOthers()).toEqual(before);
  });

  it('acts where it is operator, is refused where it is viewer, and finds nothing elsewhere', async () => {
    const pause = (queue: string) =>
      ask('bound', 'PATCH', `/api/v1/instances/default/queues/${encodeURIComponent(queue)}`, {
        paused: true,
        reason,
      });
    expect((await pause(SHOWN)).status).toBe(403);
    expect((await pause(OTHER)).status).toBe(404);
    expect((await pause(OWN)).status).toBe(200);
    const raise = await ask('bound', 'POST', '/api/v1/actions/redis.raise-maxmemory', {
      instance: 'default',
      args: { maxBytes: 200 * 1024 * 1024 },
    });
    expect([raise.status, JSON.parse(raise.text).detail]).toEqual([
      403,
      'redis.raise-maxmemory needs the role admin on the whole of Redis default',
    ]);
  });
});

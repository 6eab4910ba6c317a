import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { hashToken, newToken } from '../../server/auth/wrong-tokens.js';
import { type RunningConsole, startConsole } from '../support/console.js';
import { until } from '../support/until.js';

const tokens = { viewer: newToken(), operator: newToken(), admin: newToken() };
let redis: OwnRedis;
let console_: RunningConsole;
let queue: Queue;
let directory: string;
const deep = {
  name: 'Mail is deep',
  severity: 'critical',
  condition: { kind: 'compare', signal: 'queue_backlog_jobs', is: 'above', threshold: 5, clear: 1 },
  scope: { queue: 'bull:ma*' },
  forSeconds: 0,
  keepFiringSeconds: 0,
  runbookUrl: 'https://runbooks.example/mail',
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-alerts-'));
  const config = join(directory, 'spillway.yaml');
  await writeFile(
    join(directory, 'rules.yaml'),
    '- id: from-file\n  name: From the file\n  condition: { kind: finding, code: redis.unreachable }\n',
  );
  await writeFile(config, 'alerts:\n  rulesFile: rules.yaml\n');
  redis = await startRedis({ maxmemoryBytes: 100 * 1024 * 1024 });
  queue = new Queue('mail', { connection: { port: redis.port } });
  await queue.addBulk(Array.from({ length: 10 }, (_, n) => ({ name: 'job', data: { n } })));
  console_ = await startConsole({
    redisUrl: redis.url,
    dataDirectory: directory,
    args: ['--config', config],
    env: {
      SPILLWAY_TOKENS: Object.entries(tokens)
        .map(([role, token]) => `${role}-person:${role}:${hashToken(token)}`)
        .join(','),
    },
  });
});
afterAll(async () => {
  await console_?.stop();
  await queue?.close();
  await redis?.stop();
  await rm(directory, { recursive: true, force: true });
});

const ask = (
  method: string,
  path: string,
  body?: unknown,
  role: keyof typeof tokens = 'operator',
  more: Readonly<Record<string, string>> = {},
) => console_.ask(method, `/api/v1${path}`, body, { authorization: `Bearer ${tokens[role]}`, ...more });
const firing = async (): Promise<ReturnType<typeof JSON.parse>[]> =>
  (await ask('GET', '/alerts?state=firing', undefined, 'viewer')).body.alerts;
const about = async (rule: string) =>
  (await firing()).find((alert: { rule: { id: string } }) => alert.rule.id === rule);

it('the defaults are on from the first start, beside the rules of the file', async () => {
  const { body } = await ask('GET', '/alert-rules', undefined, 'viewer');
  const byId = new Map(body.rules.map((rule: { id: string }) => [rule.id, rule]));
  expect(byId.get('redis-full')).toMatchObject({ enabled: true, source: 'default', isReadOnly: false });
  expect(byId.get('from-file')).toMatchObject({ source: 'file', isReadOnly: true, severity: 'finding' });
});

it('a rule of the file is changed in the file alone', async () => {
  const { status, body } = await ask('PATCH', '/alert-rules/from-file', { enabled: false }, 'admin');
  expect(status).toBe(409);
  expect(body.detail).toContain('change it there');
});

it('only an admin changes rules, and a wrong rule names field, value and what would be right', async () => {
  expect((await ask('POST', '/alert-rules', deep)).status).toBe(403);
  const wrong = { ...deep, condition: { ...deep.condition, signal: 'queue_backlog', clear: 9 } };
  const { status, body } = await ask('POST', '/alert-rules', wrong, 'admin');
  expect(status).toBe(422);
  expect(body.errors[0]).toMatchObject({ field: 'condition.signal', value: 'queue_backlog' });
  expect(body.detail).toContain('queue_backlog_jobs');
  const level = { ...deep, condition: { ...deep.condition, clear: 9 } };
  expect((await ask('POST', '/alert-rules', level, 'admin')).body.detail).toContain('condition.clear');
  const kind = await ask('POST', '/alert-rules', { ...deep, condition: { kind: 'above' } }, 'admin');
  expect(kind.body.detail).toContain('must be one of compare, share-of-limit');
});

it('a rule is tested before it is saved: for whom it holds now', async () => {
  await until('the queue is seen', async () => {
    const { body } = await ask('POST', '/alert-rules/test', deep);
    return body.holdsNowCount === 1 && body.holdsNow[0].queue === 'bull:mail';
  });
  expect(
    (await ask('GET', '/alert-rules', undefined, 'admin')).body.rules.some(
      (rule: { name: string }) => rule.name === deep.name,
    ),
  ).toBe(false);
});

it('a dry run shows the rule as it would be and keeps nothing', async () => {
  const made = await ask('POST', '/alert-rules?dryRun=true', { ...deep, reason: 'to see' }, 'admin');
  expect(made).toMatchObject({ status: 200, body: { id: 'mail-is-deep', updatedBy: null } });
  expect((await ask('GET', '/alert-rules/mail-is-deep', undefined, 'admin')).status).toBe(404);
});

it('a rule that is made fires at the next tick, with runbook, evidence and a path; twice with one key is once', async () => {
  const key = { 'idempotency-key': 'make-deep' };
  const made = await ask('POST', '/alert-rules', deep, 'admin', key);
  expect(made.body).toMatchObject({ id: 'mail-is-deep', source: 'user', updatedBy: 'admin-person' });
  expect((await ask('POST', '/alert-rules', deep, 'admin', key)).body.id).toBe('mail-is-deep');
  const alert = await until('it fires', () => about('mail-is-deep'));
  expect(alert).toMatchObject({
    severity: 'critical',
    subject: { instance: 'default', queue: 'bull:mail', type: null },
    evidence: '10 jobs',
    runbookUrl: deep.runbookUrl,
    acknowledged: null,
  });
  expect(alert).toMatchObject({ cause: 'Backlog is 10, above 5.', action: expect.stringMatching(/\.$/) });
  expect(alert.headline).toMatch(/^mail: /);
});

it('an operator acknowledges and silences, a viewer does not, and both are on the account', async () => {
  const { id } = await about('mail-is-deep');
  expect((await ask('POST', `/alerts/${id}/acknowledge`, {}, 'viewer')).status).toBe(403);
  const asked = await ask('POST', `/alerts/${id}/acknowledge?dryRun=true`, { reason: 'on it' });
  expect(asked.body.acknowledged).toMatchObject({ actor: 'operator-person', reason: 'on it' });
  expect((await ask('POST', '/alerts/none/acknowledge?dryRun=true', {})).status).toBe(404);
  expect((await about('mail-is-deep')).acknowledged).toBeNull();
  const known = await ask('POST', `/alerts/${id}/acknowledge`, { reason: 'on it' });
  expect(known.body.acknowledged).toMatchObject({ actor: 'operator-person', reason: 'on it' });
  expect((await ask('POST', '/alerts/none/acknowledge', {})).status).toBe(404);

  const silence = { matchers: { queue: 'bull:mail' }, durationSeconds: 3600, reason: 'moving it' };
  expect((await ask('POST', '/silences', { ...silence, matchers: {} })).status).toBe(422);
  expect((await ask('POST', '/silences?dryRun=true', silence)).body).toMatchObject({
    reason: 'moving it',
    remainingSeconds: expect.any(Number),
  });
  expect((await ask('GET', '/silences')).body.silences).toEqual([]);
  const made = await ask('POST', '/silences', silence);
  expect(made.status).toBe(200);
  expect((await about('mail-is-deep')).silencedBy).toMatchObject({
    reason: 'moving it',
    author: 'operator-person',
  });
  expect((await ask('DELETE', `/silences/${made.body.id}?dryRun=true`)).body.ended.id).toBe(made.body.id);
  expect((await ask('GET', '/silences')).body.silences).toHaveLength(1);
  expect((await ask('DELETE', `/silences/${made.body.id}?reason=moved`)).status).toBe(200);
  expect((await ask('DELETE', `/silences/${made.body.id}?dryRun=true`)).status).toBe(404);
  expect((await ask('GET', '/silences')).body.silences).toEqual([]);

  const { body } = await ask('GET', '/timeline?limit=100');
  const kinds = body.entries.map(({ kind }: { kind: string }) => kind);
  for (const kind of [
    'alert.firing',
    'alert.acknowledged',
    'silence.created',
    'silence.ended',
    'alert-rule.changed',
  ])
    expect(kinds).toContain(kind);
  const { records } = (await ask('GET', '/audit?action=silence.end')).body;
  expect(records).toMatchObject([{ actor: 'operator-person', reason: 'moved' }]);
  const actions = (await ask('GET', '/audit')).body.records.map(({ action }: { action: string }) => action);
  expect(actions).toEqual(
    expect.arrayContaining(['alert.acknowledge', 'silence.create', 'alert-rule.create']),
  );
});

it('a rule that is edited holds from the next tick, and one that is deleted ends what fires by it', async () => {
  const changed = await ask(
    'PATCH',
    '/alert-rules/mail-is-deep',
    { name: 'Mail is too deep', forSeconds: 3, reason: 'it fired too early' },
    'admin',
  );
  const { body: audit } = await ask('GET', '/audit?action=alert-rule.change');
  expect(audit.records[0].reason).toBe('it fired too early');
  expect(changed.body).toMatchObject({ name: 'Mail is too deep', forSeconds: 3, severity: 'critical' });
  expect((await ask('DELETE', '/alert-rules/mail-is-deep', undefined, 'admin')).status).toBe(200);
  await until('it is over', async () => (await about('mail-is-deep')) === undefined);
  const { body } = await ask('GET', '/alerts?state=resolved');
  expect(body.alerts[0]).toMatchObject({ rule: { id: 'mail-is-deep' }, state: 'resolved' });
});

it('the API describes itself', async () => {
  const { body } = await ask('GET', '/openapi.json');
  for (const path of ['/alerts', '/alert-rules', '/alert-rules/{id}', '/alert-rules/test', '/silences'])
    expect(Object.keys(body.paths)).toContain(path);
});

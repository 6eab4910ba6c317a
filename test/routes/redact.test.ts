import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue, Worker } from 'bullmq';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { attach } from '../../agent/index.js';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { HIDDEN } from '../../server/model/redact.js';
import { type RunningConsole, startConsole } from '../support/console.js';
import { type Receiver, startReceiver } from '../support/receiver.js';
import { until } from '../support/until.js';

/** What is hidden, and what is not. */
const SECRET = 'hunter2-of-the-customer';
const EMAIL = 'ada@secret.example';
const OPEN = 'open-field';
/** In data, progress, logs and results, and in no error. */
const BODY = 'body-of-the-letter';
const SECRETS = new RegExp(`${SECRET}|${EMAIL}|${encodeURIComponent(EMAIL)}`);
const QUEUE = '/api/v1/instances/default/queues/mail';
const PAGE = '/i/default/q/bull%3Amail';

const directory = mkdtempSync(join(tmpdir(), 'spillway-redact-'));
const data = (i: number) => ({
  customer: { email: EMAIL, id: i },
  logins: [{ password: SECRET }],
  note: `${OPEN} to ${EMAIL}`,
  body: BODY,
});
let redis: OwnRedis;
let receiver: Receiver;
let console_: RunningConsole;
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  [redis, receiver] = await Promise.all([startRedis({ maxmemoryBytes: 100 * 1024 * 1024 }), startReceiver()]);
  const connection = { port: redis.port };
  const queues = ['mail', 'heard', 'held', 'gone'].map((name) => new Queue(name, { connection }));
  const [mail, heard, held, gone] = queues as [Queue, Queue, Queue, Queue];
  const config = join(directory, 'spillway.yaml');
  writeFileSync(
    config,
    `
redact: ['customer.email', '*.password']
tenantField: customer.email
alerts:
  outgoing: { allow: [127.0.0.1] }
  channels: [{ name: hook, type: webhook, url: "${receiver.url}/hook", minSeverity: info }]
  rules: [{ id: fails, name: Fails, severity: critical, forSeconds: 0, condition: { kind: finding, code: jobtype.failing } }]
`,
  );
  console_ = await startConsole({
    redisUrl: redis.url,
    dataDirectory: join(directory, 'data'),
    args: ['--config', config],
    env: { LOG_LEVEL: 'debug' },
  });
  const workers = ['mail', 'heard', 'gone'].map(
    (name) =>
      new Worker(
        name,
        async (job) => {
          await job.updateProgress({ logins: job.data.logins, said: SECRET, body: BODY });
          await job.log(`sends ${BODY} to ${EMAIL}`);
          if (job.data.customer.id > 2) throw new Error(`refused ${SECRET} of ${EMAIL} in ${OPEN}`);
          return { echo: job.data };
        },
        { connection, ...(name === 'gone' ? { removeOnFail: { count: 0 } } : {}) },
      ),
  );
  for (const worker of workers) worker.on('error', () => undefined);
  attach(workers[1] as Worker);
  closing.push(...[...workers, ...queues].map((one) => () => one.close()));
  const jobs = Array.from({ length: 40 }, (_, i) => ({
    name: 'send',
    data: data(i),
    opts: { jobId: `job-${i}` },
  }));
  await Promise.all([mail, heard, held, gone].map((queue) => queue.addBulk(jobs)));
  await until('failures are found', async () => {
    const { body } = await console_.ask('GET', '/api/v1/findings');
    const found = JSON.stringify(body);
    return (
      ['mail', 'heard'].every((name) => found.includes(`bull:${name}`)) && found.includes('jobtype.failing')
    );
  });
}, 90_000);
afterAll(async () => {
  for (const close of closing) await close();
  await console_?.stop();
  await receiver?.stop();
  await redis?.stop();
  rmSync(directory, { recursive: true, force: true });
});

it('shows a job without the hidden fields, and without their values in its error, log, progress and result', async () => {
  const failed = (await console_.ask('GET', `${QUEUE}/jobs/job-7`)).body;
  expect(JSON.parse(failed.data)).toEqual({
    customer: { email: HIDDEN, id: 7 },
    logins: [{ password: HIDDEN }],
    note: `${OPEN} to ${HIDDEN}`,
    body: BODY,
  });
  expect(failed.failedReason).toBe(`refused ${HIDDEN} of ${HIDDEN} in ${OPEN}`);
  expect(failed.stackTrace[0]).toContain(`refused ${HIDDEN} of ${HIDDEN}`);
  expect(failed.logs).toEqual([`sends ${BODY} to ${HIDDEN}`]);
  expect(JSON.parse(failed.progress)).toEqual({ logins: [{ password: HIDDEN }], said: HIDDEN, body: BODY });
  const done = (await console_.ask('GET', `${QUEUE}/jobs/job-1`)).body;
  expect(JSON.parse(done.returnValue).echo.note).toBe(`${OPEN} to ${HIDDEN}`);
});

it('shows errors of job types where their jobs are at hand, also of workers with the agent', async () => {
  await until('the errors', async () => {
    const { body } = await console_.ask('GET', '/api/v1/instances/default/job-types');
    const shown = body.jobTypes.filter(({ lastError }: { lastError: string | null }) =>
      lastError?.startsWith(`refused ${HIDDEN} of ${HIDDEN} in ${OPEN}`),
    );
    return (
      shown
        .map(({ queue }: { queue: string }) => queue)
        .sort()
        .join() === 'bull:heard,bull:mail'
    );
  });
});

it('tells tenants apart by names of its own where their field is hidden', async () => {
  const tenants = await until('tenants are known', async () => {
    const { body } = await console_.ask('GET', '/api/v1/instances/default/queues/held');
    return body.tenants?.length > 0 && body.tenants;
  });
  expect(tenants).toMatchObject([{ tenant: expect.stringMatching(/^hidden-[0-9a-f]{8}$/) }]);
});

it('refuses to look for jobs by a hidden field', async () => {
  const filter = { dataField: { path: 'customer.email', equals: EMAIL } };
  const replay = { instance: 'default', queues: ['bull:mail'], from: 'failed', filter, ratePerSecond: 1 };
  const asked = await console_.ask('POST', '/api/v1/replays?dryRun=true', { ...replay, reason: 'look' });
  expect(asked.status).toBe(422);
  expect(asked.text).toContain('customer.email is hidden by redact');
});

it('shows a hidden value on no page, by no API, in no log and no message, and keeps it nowhere but where jobs are parked', async () => {
  const parked = await console_.ask('POST', '/api/v1/parkings', {
    ...{ instance: 'default', queue: 'bull:held', states: ['waiting'], reason: 'make room' },
  });
  const { id } = parked.body.parking;
  await until(
    'they are parked',
    async () => (await console_.ask('GET', `/api/v1/parkings/${id}`)).body.remaining === 40,
  );
  const look = {
    instance: 'default',
    queues: ['bull:mail'],
    from: 'failed',
    ratePerSecond: 1,
    reason: 'look',
  };
  const preview = await console_.ask('POST', '/api/v1/replays?dryRun=true', look);
  expect(preview.text).toContain(`refused ${HIDDEN} of ${HIDDEN}`);
  const begun = await console_.ask('POST', '/api/v1/replays', look);
  expect(begun.status, begun.text).toBe(200);
  await until('it was told outside', () => receiver.received.length > 0);

  expect((await console_.ask('GET', `/api/v1/parkings/${id}.ndjson`)).status).toBe(403);

  const answers: [string, string][] = [
    ['preview', preview.text],
    ['replay', begun.text],
    ['messages', JSON.stringify(receiver.received)],
    ['log', console_.output()],
  ];
  const { paths } = (await console_.ask('GET', '/api/v1/openapi.json')).body;
  const names = { instance: 'default', queue: 'mail', jobId: 'job-7', type: 'send', jobType: 'send' };
  for (const [path, methods] of Object.entries<Record<string, unknown>>(paths)) {
    if (!('get' in methods) || path.endsWith('/live')) continue;
    const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => Reflect.get(names, name) ?? id);
    answers.push([filled, (await console_.ask('GET', `/api/v1${filled.replace(/^\/api\/v1/, '')}`)).text]);
  }
  for (const state of ['failed', 'completed'])
    answers.push([state, (await console_.ask('GET', `${QUEUE}/jobs?state=${state}`)).text]);
  const pages = [
    ...['/', '/queues', '/workers', '/i/default', '/i/default/memory', '/audit', '/alerts', '/timeline'],
    ...['/incidents', '/channels', '/replays', '/replays/look?queues=bull:mail&from=failed&ratePerSecond=10'],
    ...[PAGE, `${PAGE}?state=failed`, `${PAGE}?tab=types`, `${PAGE}?tab=memory`, `${PAGE}/jobs/job-7`],
    ...[`${PAGE}/t/send`, '/i/default/q/bull%3Aheard/t/send', '/i/default/q/bull%3Agone/t/send', '/metrics'],
  ];
  for (const page of pages)
    answers.push([page, (await console_.ask('GET', page, undefined, { accept: 'text/html' })).text]);
  expect(answers.filter(([, text]) => SECRETS.test(text)).map(([name]) => name)).toEqual([]);
  expect(answers.some(([name, text]) => name === `${PAGE}/jobs/job-7` && text.includes(OPEN))).toBe(true);
  await console_.stop();
  const files = readdirSync(join(directory, 'data'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => [EMAIL, BODY].some((text) => readFileSync(file).includes(text)));
  expect(files).toEqual([expect.stringContaining('parked')]);
});

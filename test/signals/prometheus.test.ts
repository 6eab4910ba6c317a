import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { packagePath } from '../../server/process/package-path.js';
import { type RunningConsole, startConsole } from '../support/console.js';
import { metricsIn, promtool } from '../support/promtool.js';
import { until } from '../support/until.js';

const RULES = packagePath('static/prometheus-rules.yml');
let redis: OwnRedis;
let console_: RunningConsole;
let queue: Queue;

beforeAll(async () => {
  redis = await startRedis({ maxmemoryBytes: 100 * 1024 * 1024 });
  queue = new Queue('a "quoted" {queue}\\', { connection: { port: redis.port } });
  await queue.pause();
  await queue.addBulk(Array.from({ length: 60 }, () => ({ name: 'check "it"', data: {} })));
  console_ = await startConsole({ redisUrl: redis.url });
});
afterAll(async () => {
  await console_?.stop();
  await queue?.close();
  await redis?.stop();
});

it('promtool has nothing to say against /metrics of a console with queues, job types and findings', async () => {
  const text = await until(
    'all is reported',
    async () => {
      const { text } = await console_.ask('GET', '/metrics');
      return /^spillway_findings\{/m.test(text) && /^spillway_queue_arrivals_per_second\{/m.test(text)
        ? text
        : null;
    },
    { withinMs: 60_000, everyMs: 250 },
  );
  expect(promtool(['check', 'metrics'], text)).toEqual({ code: 0, output: '' });
});

it('promtool would say it', () => {
  expect(promtool(['check', 'metrics'], 'spillway_jobs 1\n').output).not.toBe('');
});

it('the rules are valid, and every metric in them is one of ours', async () => {
  const { code, output } = promtool(['check', 'rules', RULES]);
  expect(output).toMatch(/SUCCESS: 12 rules found/);
  expect(code).toBe(0);
  const { text } = await console_.ask('GET', '/static/prometheus-rules.yml');
  expect(metricsIn(text).unknown).toEqual([]);
});

it('the rules fire on a full Redis and on what else hurts, and on nothing healthy', async () => {
  const { code, output } = promtool(['test', 'rules', packagePath('test/signals/prometheus-rules.test.yml')]);
  expect(output).toMatch(/SUCCESS/);
  expect(code).toBe(0);
});

it('a rule that never fires would be found out', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'spillway-rules-'));
  try {
    const { text } = await console_.ask('GET', '/static/prometheus-rules.yml');
    await writeFile(
      join(directory, 'rules.yml'),
      text.replace('spillway_redis_full == 1', 'spillway_redis_full > 1'),
    );
    const tests = await readFile(packagePath('test/signals/prometheus-rules.test.yml'), 'utf8');
    await writeFile(join(directory, 'test.yml'), tests.replace(/- \.\.\/.*rules\.yml/, '- rules.yml'));
    expect(promtool(['test', 'rules', join(directory, 'test.yml')]).output).toMatch(/SpillwayRedisFull/);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

it('the dashboard and the rules can be downloaded from the page of the API', async () => {
  const { text } = await console_.ask('GET', '/docs');
  for (const path of ['/static/prometheus-rules.yml', '/static/grafana-dashboard.json']) {
    expect(text).toContain(`href="${path}"`);
    expect((await console_.ask('GET', path)).status).toBe(200);
  }
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createClient } from '@libsql/client';
import { afterEach, expect, it } from 'vitest';
import { type OwnRedis, overfill, startRedis } from '../../drills/own-redis.js';
import { loadConfig } from '../../server/config/config.js';
import { FINDING_RULES } from '../../server/findings/index.js';
import { createLog } from '../../server/process/log.js';
import { OwnHealth } from '../../server/process/own-health.js';
import { startConsole } from '../../server/start-console.js';
import { openBoth } from '../support/bullmq-queues.js';
import { wordsOf } from '../support/few-words.js';
import { until } from '../support/until.js';
import { anInstance, watchingBy } from '../support/watching.js';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function aRedis(): Promise<OwnRedis> {
  const redis = await startRedis();
  cleanups.push(() => redis.stop());
  return redis;
}

it('a rule and a listener that throw cost what they tell: ticks, other findings and other listeners go on', async () => {
  const redis = await aRedis();
  const broken = {
    code: 'queue.broken',
    about: 'throws at every tick',
    detect: () => {
      throw new TypeError('odd data');
    },
  };
  const { watch, lines } = watchingBy([broken, ...FINDING_RULES], anInstance(redis.url));
  cleanups.push(() => watch.stop());
  watch.onTick(() => {
    throw new Error('the disk is on fire');
  }, 'history');
  let ticks = 0;
  watch.onTick(() => {
    ticks += 1;
  });
  await until('ticks go on', () => ticks > 12);
  expect(watch.snapshot('default')?.link.status).toBe('live');
  const findings = watch.findings();
  expect(findings.map(({ code }) => code)).toContain('redis.no-limit');
  const fault = findings.find(({ code }) => code === 'console.fault');
  expect(fault).toMatchObject({ severity: 'warning', headline: '2 parts of the console fail' });
  expect(wordsOf(fault)).toMatch(/rule queue\.broken has failed \d+ times in .* \(odd data\)/);
  expect(wordsOf(fault)).toMatch(/history has failed \d+ times in .* \(the disk is on fire\)/);
  expect(fault?.sinceMs).toBeLessThan(Date.now());
  // At the first and the tenth throw of each.
  expect(lines.filter((line) => /goes on without it/.test(line))).toHaveLength(4);
});

it('automation that can not do its work is a finding of its own, until it can', async () => {
  const redis = await aRedis();
  const directory = await mkdtemp(join(tmpdir(), 'spillway-automation-'));
  cleanups.push(() => rm(directory, { recursive: true, force: true }));
  const queues = openBoth(redis.port, 'mail');
  cleanups.push(() => queues.close());
  const pad = 'x'.repeat(4_000);
  for (let i = 0; i < 8; i++)
    await queues.v6.addBulk(Array.from({ length: 500 }, () => ({ name: 'digest', data: { pad } })));
  await overfill(redis, 1 / 0.9);
  const file = join(directory, 'spillway.yml');
  await writeFile(
    file,
    `instances:
  - name: main
    url: ${redis.url}
    spillway: { mode: on, highRatio: 0.8, lowRatio: 0.5, rules: [{ queue: '*', jobType: '*', priority: 1 }] }
`,
  );
  // Whoever else writes to the file and does not end: a backup that hangs.
  const other = createClient({ url: pathToFileURL(join(directory, 'parked.db')).href });
  cleanups.push(async () => other.close());
  const health = new OwnHealth({ now: Date.now, warn: () => undefined });
  const log = createLog('silent');
  const config = loadConfig({ config: file, data: directory }, {});
  const console_ = await startConsole(config, log, health);
  cleanups.push(() => console_.stop());
  const writing = await other.transaction('write');
  const { watch } = console_.deps;
  const finding = (code: string) => watch.findings().find((one) => one.code === code);
  const policy = await until('the policy is reported to fail', () => finding('console.policy'));
  expect(policy).toMatchObject({ severity: 'critical', headline: 'The spillway policy does not work' });
  expect(wordsOf(policy)).toMatch(/main: .*locked/);
  expect(await redis.client.llen('bull:mail:wait')).toBe(4_000);
  await writing.rollback();
  await until('it parks', async () => (await redis.client.llen('bull:mail:wait')) < 4_000);
  await until('it is over', () => !finding('console.policy'));
  // The same with a Redis that hangs: what protects it can't, and that is said beside it.
  redis.freeze();
  await until('the policy is reported to fail', () => finding('console.policy'));
  expect(wordsOf(finding('console.policy'))).toMatch(/does not see this Redis/);
  redis.thaw();
  await until('it is over', () => !finding('console.policy'));
});

import { Queue } from 'bullmq';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { type AttachedProcess, startAttached } from '../support/attached-process.js';
import { type RunningConsole, startConsole } from '../support/console.js';
import { type Starving, starve, throttle } from '../support/starve.js';
import { until } from '../support/until.js';

let redis: OwnRedis;
let app: RunningConsole;
let workers: AttachedProcess;
let starving: Starving | null = null;

beforeAll(async () => {
  redis = await startRedis();
  workers = await startAttached({
    port: redis.port,
    workers: [{ queue: 'work', count: 3, concurrency: 4, jobMs: 100, attach: {} }],
  });
  app = await startConsole({ redisUrl: redis.url });
  await until('the workers are seen', async () => {
    const { body } = await app.ask('GET', '/api/v1/instances/default/workers');
    return body.workers?.length === 3;
  });
});

const end = (): void => {
  starving?.end();
  starving = null;
};
afterEach(end);
afterAll(async () => {
  await app?.stop();
  await workers?.stop();
  await redis?.stop();
});

const codes = async (): Promise<readonly string[]> => {
  const { body } = await app.ask('GET', '/api/v1/findings');
  return body.findings.map(({ code }: { code: string }) => code);
};
const told = async (): Promise<readonly { kind: string; text: string }[]> =>
  (await app.ask('GET', '/api/v1/timeline?limit=200')).body.entries;
/** Waits until a finding is there, or is not; on a machine that others starve as well it may take its time. */
const untilFound = (code: string, isThere = true) =>
  until(
    `${code} is ${isThere ? '' : 'not '}found`,
    async () => {
      const found = await codes();
      if (found.includes(code) === isThere) return true;
      throw new Error(`found are: ${found.join(', ')}`);
    },
    { withinMs: 80_000 },
  );
/** What a console that was only late would wrongly say of others. */
const BLAME = /unreachable|does not answer|crashed|hung|not consuming|outlier|workers? gone|blind/;

describe('on a host without CPU to spare', { timeout: 200_000 }, () => {
  it('one finding says so, and nobody is called crashed, stuck, silent or unreachable', async () => {
    const queue = new Queue('work', { connection: { port: redis.port } });
    await queue.addBulk(Array.from({ length: 20_000 }, () => ({ name: 'mail', data: {} })));
    await queue.close();
    starving = starve([app.pid, workers.pid], { everyMs: 1_000, runMs: 60 });
    await untilFound('console.starved');
    expect(
      (await codes()).filter((code) => /^(worker|redis\.unreachable|console\.stale)/.test(code)),
    ).toEqual([]);
    end();
    await untilFound('console.starved', false);
  });

  it('workers in a container that has used up its quota of CPU: their host is named, and not they', async (context) => {
    try {
      starving = throttle([workers.pid], 0.01);
    } catch (error) {
      context.skip(`no control group can be made here: ${error}`);
    }
    await untilFound('host.starved');
    expect((await codes()).filter((code) => /^worker\.(stuck|silent|outlier)/.test(code))).toEqual([]);
    end();
    await untilFound('host.starved', false);
  });

  it('a console that was stopped for seconds wakes up and blames nobody', async () => {
    starving = starve([app.pid], { everyMs: 7_500, runMs: 1_500 });
    await untilFound('console.starved');
    end();
    await untilFound('console.starved', false);
    const texts = (await told()).map(({ text }) => text.replace('calls no worker hung or crashed', ''));
    expect(texts.filter((text) => BLAME.test(text))).toEqual([]);
  });
});

import { Queue } from 'bullmq';
import { test as base, describe, expect } from 'vitest';
import { startRedis } from '../../drills/own-redis.js';
import { type AttachedProcess, startAttached } from '../support/attached-process.js';
import { type RunningConsole, startConsole } from '../support/console.js';
import { type Starving, starve, throttle } from '../support/starve.js';
import { until } from '../support/until.js';

/** What a console that was only late would wrongly say of others. */
const BLAME = /unreachable|does not answer|crashed|hung|not consuming|outlier|workers? gone|blind/;

/** Workers with more than enough to do and a console, for each test its own, so that they wait side by side. */
interface World {
  readonly app: RunningConsole;
  readonly workers: AttachedProcess;
  /** What is taken from them is given back at the end of the test, whatever becomes of it. */
  take(from: Starving): Starving;
  /** Codes of what is found. */
  codes(): Promise<readonly string[]>;
  /** What stands on the timeline that a console would say of others which is only late itself. */
  blamed(): Promise<readonly string[]>;
  /** Waits until a finding is there, or is not; on a machine that others starve as well it may take its time. */
  untilFound(code: string, isThere?: boolean): Promise<unknown>;
}

const it = base.extend<{ readonly world: World }>({
  world: async ({ task: _task }, use) => {
    const redis = await startRedis();
    const queue = new Queue('work', { connection: { port: redis.port } });
    await queue.addBulk(Array.from({ length: 20_000 }, () => ({ name: 'mail', data: {} })));
    await queue.close();
    const workers = await startAttached({
      port: redis.port,
      workers: [{ queue: 'work', count: 3, concurrency: 4, jobMs: 100, attach: {} }],
    });
    const app = await startConsole({ redisUrl: redis.url });
    await until('the workers are seen', async () => {
      const { body } = await app.ask('GET', '/api/v1/instances/default/workers');
      return body.workers?.length === 3;
    });
    const codes = async (): Promise<readonly string[]> => {
      const { body } = await app.ask('GET', '/api/v1/findings');
      return body.findings.map(({ code }: { code: string }) => code);
    };
    const taken: Starving[] = [];
    await use({
      ...{ app, workers, codes },
      take(from) {
        let isOver = false;
        const end = (): void => {
          if (!isOver) from.end();
          isOver = true;
        };
        taken.push({ end });
        return { end };
      },
      async blamed() {
        const { body } = await app.ask('GET', '/api/v1/timeline?limit=200');
        return body.entries
          .map(({ text }: { text: string }) => text.replace('calls no worker hung or crashed', ''))
          .filter((text: string) => BLAME.test(text));
      },
      untilFound: (code, isThere = true) =>
        until(
          `${code} is ${isThere ? '' : 'not '}found`,
          async () => {
            const found = await codes();
            if (found.includes(code) === isThere) return true;
            throw new Error(`found are: ${found.join(', ')}`);
          },
          { withinMs: 80_000 },
        ),
    });
    for (const { end } of taken) end();
    await app.stop();
    await workers.stop();
    await redis.stop();
  },
});

describe.concurrent('on a host without CPU to spare', { timeout: 200_000 }, () => {
  it('one finding says so, and nobody is called crashed, stuck, silent or unreachable', async ({ world }) => {
    const { app, workers, codes, blamed, untilFound } = world;
    const starving = world.take(starve([app.pid, workers.pid], { everyMs: 1_000, runMs: 60 }));
    await untilFound('console.starved');
    expect(
      (await codes()).filter((code) => /^(worker|redis\.unreachable|console\.stale)/.test(code)),
    ).toEqual([]);
    starving.end();
    await untilFound('console.starved', false);
    expect(await blamed()).toEqual([]);
  });

  it('workers in a container that has used up its quota of CPU: their host is named, and not they', async ({
    world,
    skip,
  }) => {
    const { workers, codes, blamed, untilFound } = world;
    let starving: Starving;
    try {
      starving = world.take(throttle([workers.pid], 0.01));
    } catch (error) {
      return skip(`no control group can be made here: ${error}`);
    }
    await untilFound('host.starved');
    expect((await codes()).filter((code) => /^worker\.(stuck|silent|outlier)/.test(code))).toEqual([]);
    starving.end();
    await untilFound('host.starved', false);
    expect(await blamed()).toEqual([]);
  });

  it('a console that was stopped for seconds wakes up and blames nobody', async ({ world }) => {
    const { app, blamed, untilFound } = world;
    const starving = world.take(starve([app.pid], { everyMs: 7_500, runMs: 1_500 }));
    await untilFound('console.starved');
    starving.end();
    await untilFound('console.starved', false);
    expect(await blamed()).toEqual([]);
  });
});

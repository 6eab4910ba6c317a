import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import {
  pauseBySpillway,
  type QueueHandle,
  resumeQueue,
  setConcurrency,
} from '../../server/redis/queue-control.js';
import { type BothVersions, openBoth } from '../support/bullmq-queues.js';

let redis: OwnRedis;
let runs = 0;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis?.stop());

type Step =
  | 'pause'
  | 'resume'
  | 'concurrency'
  | 'add5'
  | 'add6'
  | 'addWhileResuming'
  | 'appPause'
  | 'appResume';

interface World {
  readonly appVersion: 5 | 6;
  readonly steps: readonly Step[];
  readonly canFlagScripts: boolean;
  /** Jobs that one call of the resume script moves: few, so that it takes several, or enough for all. */
  readonly chunk: number;
}

const world = (appVersion: 5 | 6, steps: readonly Step[]): fc.Arbitrary<World> =>
  fc.record({
    appVersion: fc.constant(appVersion),
    steps: fc.array(fc.constantFrom(...steps), { minLength: 3, maxLength: 25 }),
    canFlagScripts: fc.boolean(),
    chunk: fc.constantFrom(1, 2, 1_000),
  });

/** Lives through the steps, then resumes, and tells which jobs were added and which can be taken. */
async function live({ appVersion, steps, canFlagScripts, chunk }: World) {
  runs += 1;
  const name = `q-${runs}`;
  const queues = openBoth(redis.port, name);
  const handle: QueueHandle = { client: redis.client, canFlagScripts, id: `bull:${name}` };
  const added: string[] = [];
  const add = async (version: keyof BothVersions & ('v5' | 'v6')): Promise<void> => {
    const jobId = `job-${added.length}`;
    added.push(jobId);
    await queues[version].add('work', {}, { jobId });
  };
  const app = appVersion === 5 ? queues.v5 : queues.v6;
  for (const step of steps) {
    if (step === 'pause') await pauseBySpillway(handle, Date.now(), 'olga');
    if (step === 'resume') await resumeQueue(handle, chunk);
    if (step === 'concurrency') await setConcurrency(handle, 3);
    if (step === 'add5') await add('v5');
    if (step === 'add6') await add('v6');
    if (step === 'addWhileResuming')
      await Promise.all([resumeQueue(handle, 1), add('v5'), add('v6'), add('v5')]);
    if (step === 'appPause' && !(await isLostByItself(handle.id, appVersion))) await app.pause();
    if (step === 'appResume' && !(await isLostByItself(handle.id, appVersion))) await app.resume();
  }
  await resumeQueue(handle, chunk);
  const waiting = await redis.client.lrange(`${handle.id}:wait`, 0, -1);
  const stranded = await redis.client.llen(`${handle.id}:paused`);
  const meta = await redis.client.hmget(`${handle.id}:meta`, 'paused', 'spillway.pause');
  await queues.close();
  await redis.client.del(`${handle.id}:wait`, `${handle.id}:meta`);
  return { added: [...added].sort(), waiting: [...waiting].sort(), stranded, meta };
}

/** BullMQ 5 lays one list over the other when both hold jobs: it loses them without any console. */
async function isLostByItself(id: string, appVersion: 5 | 6): Promise<boolean> {
  if (appVersion === 6) return false;
  return (await redis.client.exists(`${id}:wait`, `${id}:paused`)) === 2;
}

async function holds(world: World): Promise<void> {
  const { added, waiting, stranded, meta } = await live(world);
  expect(waiting).toEqual(added);
  expect(stranded).toBe(0);
  expect(meta).toEqual([null, null]);
}

describe('no order of pauses, resumes and adds loses a job', () => {
  const OURS = ['pause', 'resume', 'concurrency'] as const;

  it('where BullMQ 6 pauses and both versions add', async () => {
    const steps = [...OURS, 'add5', 'add6', 'addWhileResuming', 'appPause', 'appResume'] as const;
    await fc.assert(fc.asyncProperty(world(6, steps), holds), { numRuns: 60 });
  });

  it('where BullMQ 5 pauses and adds', async () => {
    const steps = [...OURS, 'add5', 'appPause', 'appResume'] as const;
    await fc.assert(fc.asyncProperty(world(5, steps), holds), { numRuns: 60 });
  });

  it('where BullMQ 5 pauses and both versions add', async () => {
    const steps = [...OURS, 'add5', 'add6', 'addWhileResuming', 'appPause', 'appResume'] as const;
    await fc.assert(fc.asyncProperty(world(5, steps), holds), { numRuns: 60 });
  });
});

import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { optionsOfEnvironment } from '../../agent/options.js';
import type { WorkerBeat } from '../../agent/protocol.js';
import { packagePath } from '../../server/process/package-path.js';
import { anOrder } from '../support/agent-ear.js';
import { type AgentScene, it } from '../support/agent-scene.js';
import { until } from '../support/until.js';

const support = (file: string): string => join(packagePath('test'), 'support', file);

/** An application that has no line about the agent, started with `flag`; its first beat. */
async function heardFrom(
  { redis, ear }: AgentScene,
  [flag, file, bullmq, processor = '', threaded = '']: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly beat: WorkerBeat; readonly child: ChildProcess }> {
  const from = ear.beats.length;
  const child = fork(support(file ?? ''), [String(redis.port), bullmq ?? '', processor], {
    cwd: packagePath('.'),
    execArgv: [flag ?? '', 'spillway-agent/register'],
    env: { ...process.env, THREADED: threaded, ...env },
  });
  const beat = await until('it is heard', () =>
    ear.beats.slice(from).find(({ workers }) => workers.length > 0),
  );
  expect(beat.workers).toHaveLength(1);
  return { beat: beat.workers[0] as WorkerBeat, child };
}

const ended = async (child: ChildProcess): Promise<void> => {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
};

describe('an application without a line about the agent', () => {
  it('has its workers attached: BullMQ 5 and 6, by import and require, sandboxed, threaded, run later, in NestJS', async ({
    scene,
  }) => {
    const ways = [
      ['--import', 'plain-worker.mjs', 'bullmq'],
      ['--import', 'plain-worker.mjs', 'bullmq-v5'],
      ['--import', 'plain-worker.cjs', 'bullmq'],
      ['--require', 'plain-worker.mjs', 'bullmq'],
      ['--require', 'plain-worker.cjs', 'bullmq-v5'],
      ['--import', 'plain-worker.mjs', 'bullmq', support('sandboxed-processor.cjs')],
      ['--import', 'plain-worker.mjs', 'bullmq', support('sandboxed-processor.cjs'), '1'],
      ['--import', 'plain-nest.cjs'],
    ];
    for (const way of ways) {
      const { beat, child } = await heardFrom(scene, way);
      expect([way, beat.queue, beat.concurrency.now]).toEqual([way, 'bull:work', 3]);
      const order = anOrder({ setting: 'concurrency', value: 9, workers: [beat.id] });
      expect(await scene.ear.order(order, beat.id)).toMatchObject({ result: 'applied', concurrency: 9 });
      await ended(child);
    }
  });

  it('gives them options from the environment, and leaves alone what the application attaches itself', async ({
    scene,
  }) => {
    const env = { SPILLWAY_AGENT_LABELS: '{"release":"41"}', SPILLWAY_AGENT_MAX_CONCURRENCY: '12' };
    const way = ['--import', 'plain-worker.mjs', 'bullmq'];
    const first = await heardFrom(scene, way, { ...env, SPILLWAY_AGENT_NAME: 'mailer' });
    expect(first.beat).toMatchObject({ name: 'mailer', labels: { release: '41' }, maxConcurrency: 12 });
    await ended(first.child);
    const own = await heardFrom(scene, ['--require', 'plain-worker.cjs', 'bullmq'], {
      ...env,
      ATTACH_AS: 'by-hand',
    });
    expect(own.beat).toMatchObject({ name: 'by-hand', labels: {} });
    await ended(own.child);
  });

  it('is reported an option that can’t be read, by its name, and has the others', () => {
    const { options, problems } = optionsOfEnvironment({
      SPILLWAY_AGENT_LABELS: 'release=41',
      SPILLWAY_AGENT_NAME: 'mailer',
      SPILLWAY_AGENT_SECRET: '',
    });
    expect(options).toEqual({ name: 'mailer', labels: {} });
    expect(problems).toEqual([expect.stringMatching(/SPILLWAY_AGENT_LABELS: it must be JSON/)]);
  });
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { startConsole } from '../support/console.js';

let redis: OwnRedis;
let directory: string;
beforeAll(async () => {
  redis = await startRedis();
  directory = await mkdtemp(join(tmpdir(), 'spillway-unwatched-'));
});
afterAll(async () => {
  await redis?.stop();
  await rm(directory, { recursive: true, force: true });
});

it('a --redis beside a file that names instances is reported once at the start, with those that are not watched', async () => {
  const config = join(directory, 'spillway.yaml');
  const instances = ['shop', 'mail'].map((name) => ({ name, url: 'redis://127.0.0.1:1' }));
  await writeFile(config, JSON.stringify({ instances }));
  const warnings = (output: string) =>
    output
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line))
      .filter(({ level, msg }) => level === 40 && msg.includes('not watched'));
  const both = await startConsole({ redisUrl: redis.url, args: ['--config', config] });
  const alone = await startConsole({ redisUrl: redis.url });
  try {
    expect(warnings(both.output()).map(({ msg }) => msg)).toEqual([
      expect.stringMatching(/^--redis takes the place .*: 2 instances of it \(shop, mail\) are not watched/),
    ]);
    expect((await both.ask('GET', '/api/v1/overview')).body.instances).toHaveLength(1);
    expect(warnings(alone.output())).toEqual([]);
  } finally {
    await both.stop();
    await alone.stop();
  }
});

import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { packagePath } from '../../server/process/package-path.js';

const prepare = (env: Readonly<Record<string, string>>) =>
  spawnSync(process.execPath, [packagePath('drills/prepare.mjs')], { encoding: 'utf8', env });

it('a machine without Redis and without apt says what to install', () => {
  const { status, stderr } = prepare({ PATH: '/nowhere' });
  expect(stderr).toMatch(/Install redis-server and redis-sentinel, or set REDIS_SERVER_BIN/);
  expect(status).toBe(1);
});

it('a REDIS_SERVER_BIN that is no program is named', () => {
  const { status, stderr } = prepare({ PATH: '/nowhere', REDIS_SERVER_BIN: '/no/such/redis' });
  expect(stderr).toMatch('REDIS_SERVER_BIN is /no/such/redis');
  expect(status).toBe(1);
});

it('what is there already is left alone: one line a step', () => {
  const { status, stdout } = prepare({ PATH: '/nowhere', REDIS_SERVER_BIN: process.execPath });
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' ')[0]),
  ).toEqual(['node', 'packages', 'build', 'redis-server']);
  expect(status).toBe(0);
});

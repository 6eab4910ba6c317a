import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startRedis } from '../../drills/own-redis.js';
import { holderInWords, isHolderGone, newHolderId } from '../../server/store/holder-id.js';
import { startConsole } from '../support/console.js';

/** This process's id with one of its parts changed. */
const idWith = (part: number, value: string): string =>
  newHolderId()
    .split(' ')
    .map((own, i) => (i === part ? value : own))
    .join(' ');
const [BOOT, NAMESPACE, PID, STARTED] = [2, 3, 4, 5];

async function aPidThatHasEnded(): Promise<string> {
  const child = spawn(process.execPath, ['--version']);
  await new Promise((resolve) => child.once('close', resolve));
  return String(child.pid);
}

it('a process that lives is not gone, and one that has ended is', async () => {
  expect(isHolderGone(newHolderId())).toBe(false);
  expect(isHolderGone(idWith(PID, await aPidThatHasEnded()))).toBe(true);
});

it('a pid that another process has by now is known by the time of its start', () => {
  expect(isHolderGone(idWith(STARTED, '1'))).toBe(true);
});

it('of another machine, another boot or another container nobody can tell', async () => {
  const gone = await aPidThatHasEnded();
  expect(isHolderGone(idWith(PID, gone).replace(/pid:\[\d+\]/, 'pid:[1]'))).toBe(false);
  expect(isHolderGone(idWith(BOOT, 'other'))).toBe(false);
  expect(isHolderGone(idWith(NAMESPACE, 'pid:[1]'))).toBe(false);
  expect(isHolderGone('an-older-console')).toBe(false);
  expect(isHolderGone('')).toBe(false);
});

it('a person reads which process it is', () => {
  expect(holderInWords(newHolderId())).toContain(`process ${process.pid} on `);
});

it('a single console that was killed does its work again as soon as it is up', async () => {
  const redis = await startRedis();
  const dataDirectory = await mkdtemp(join(tmpdir(), 'spillway-again-'));
  try {
    for (let start = 0; start < 3; start += 1) {
      const console_ = await startConsole({ redisUrl: redis.url, dataDirectory });
      expect((await console_.ask('GET', '/api/v1/channels')).body.isSender).toBe(true);
      await console_.signal('SIGKILL');
    }
  } finally {
    await redis.stop();
    await rm(dataDirectory, { recursive: true, force: true });
  }
});

import { execFile } from 'node:child_process';
import { mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freePort } from '../drills/own-redis.js';
import { packagePath, packageVersion } from '../server/process/package-path.js';
import { startConsole } from './support/console.js';

const run = promisify(execFile);
const command = packagePath('server/spillway.sh');
let directory: string;

beforeAll(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), 'spillway command-')));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

it('the command is found through links, and through links to links', async () => {
  await symlink(command, join(directory, 'absolute'));
  await symlink('absolute', join(directory, 'relative'));
  const { stdout } = await run(join(directory, 'relative'), ['--version'], { cwd: '/' });
  expect(stdout.trim()).toBe(packageVersion());
});

it('the command gives its arguments on as they are, after flags that this Node takes', async () => {
  const node = '#!/bin/sh\nprintf "%s\\n" "$MALLOC_ARENA_MAX" "$@"\n';
  await writeFile(join(directory, 'node'), node, { mode: 0o755 });
  const { stdout } = await run(command, ['--redis', 'a b', ''], {
    env: { PATH: `${directory}:${process.env.PATH}` },
  });
  const [arenas, ...given] = stdout.slice(0, -1).split('\n');
  const main = given.findIndex((argument) => argument.endsWith('/main.js'));
  const flags = given.slice(0, main);
  expect([arenas, flags.length > 0, given.slice(main + 1)]).toEqual(['1', true, ['--redis', 'a b', '']]);
  const known = await run(process.execPath, [...flags, '-p', 'true']);
  expect([known.stdout.trim(), known.stderr]).toEqual(['true', '']);
});

it('`spillway health` ends with 0 beside a console that is ready, also without its Redis, and else with 1 and the reason', async () => {
  const spillway = await startConsole({ redisUrl: 'redis://127.0.0.1:1' });
  const health = (env: Record<string, string>) =>
    run(command, ['health'], { env: { PATH: process.env.PATH, ...env } }).then(
      ({ stdout }) => ({ code: 0, text: stdout }),
      ({ code, stderr }) => ({ code, text: stderr }),
    );
  try {
    const { port } = new URL(spillway.url);
    expect(await health({ PORT: port })).toEqual({ code: 0, text: 'ready; default is unreachable\n' });
    // Where it is bound to every address, it is asked at one.
    const tokens = { SPILLWAY_TOKENS: `you:viewer:${'0'.repeat(64)}` };
    expect(await health({ PORT: port, HOST: '0.0.0.0', ...tokens })).toMatchObject({ code: 0 });
    const nobody = await health({ PORT: String(await freePort()) });
    expect(nobody).toEqual({ code: 1, text: expect.stringMatching(/^spillway: health: .*ECONNREFUSED/) });
    // One that hangs does not answer either.
    process.kill(spillway.pid, 'SIGSTOP');
    const stopped = await health({ PORT: port });
    expect(stopped).toEqual({ code: 1, text: expect.stringMatching(/does not answer/) });
  } finally {
    process.kill(spillway.pid, 'SIGCONT');
    await spillway.stop();
  }
});

import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packagePath } from '../server/process/package-path.js';

const run = promisify(execFile);
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-pack-'));
  // What is built is what is tested: the tests run after the build, so it is not made again here.
  await run('npm', ['pack', '--ignore-scripts', '--pack-destination', directory], { cwd: packagePath('.') });
  const tarball = (await readdir(directory)).find((name) => name.endsWith('.tgz'));
  await run(
    'npm',
    [
      'install',
      '--omit=dev',
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
      '--prefix',
      directory,
      join(directory, tarball ?? ''),
    ],
    {
      cwd: directory,
    },
  );
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe('the package as users get it', () => {
  it('runs as `spillway` outside of its own repository', async () => {
    const bin = join(directory, 'node_modules', '.bin', 'spillway');
    const { stdout } = await run(bin, ['--version'], { cwd: directory });
    expect(stdout.trim()).toMatch(/^\d+\.\d+\.\d+/);
    const checked = await run(bin, ['--check', '--redis', 'redis://user:hunter2@127.0.0.1:6379'], {
      cwd: directory,
    });
    expect(checked.stdout).toContain('127.0.0.1');
    expect(checked.stdout).not.toContain('hunter2');
  });

  it('serves its page and its scripts from what was packed', async () => {
    const { spawn } = await import('node:child_process');
    const child = spawn(
      join(directory, 'node_modules', '.bin', 'spillway'),
      ['--port', '0', '--redis', 'redis://127.0.0.1:1', '--data', join(directory, 'data')],
      { cwd: directory },
    );
    try {
      const url = await new Promise<string>((resolve, reject) => {
        let output = '';
        const take = (chunk: Buffer): void => {
          output += chunk.toString();
          const found = /http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0];
          if (found) resolve(found);
        };
        child.stdout.on('data', take);
        child.once('exit', () => reject(new Error(`ended: ${output}`)));
      });
      const page = await fetch(`${url}/`);
      expect(page.status).toBe(200);
      const html = await page.text();
      const assets = [...html.matchAll(/(?:src|href)="(\/static\/[^"]+)"/g)].map((match) => match[1] ?? '');
      expect(assets.length).toBeGreaterThan(3);
      for (const asset of assets)
        expect([asset, (await fetch(`${url}${asset}`)).status]).toEqual([asset, 200]);
    } finally {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await gone;
    }
  });

  it('gives workers the agent by import and by require, with the same way in', async () => {
    const byImport = await run(
      process.execPath,
      ['--input-type=module', '-e', "import { attach } from 'spillway/agent'; console.log(typeof attach);"],
      { cwd: directory },
    );
    const byRequire = await run(
      process.execPath,
      ['--input-type=commonjs', '-e', "console.log(typeof require('spillway/agent').attach);"],
      { cwd: directory },
    );
    expect([byImport.stdout.trim(), byRequire.stdout.trim()]).toEqual(['function', 'function']);
  });

  it('says in one line what is wrong with a setting, and ends with 2', async () => {
    const bin = join(directory, 'node_modules', '.bin', 'spillway');
    const failed = await run(bin, ['--port', 'http'], { cwd: directory }).catch((error: unknown) => error);
    expect(failed).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^spillway: --port: http must be a port number[^\n]*\n$/),
    });
  });
});

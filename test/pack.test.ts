import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packagePath } from '../server/process/package-path.js';

const run = promisify(execFile);
let directory: string;
/** A project of an application that has the agent alone. */
let application: string;

/** Packs the package in `folder` as it is built, and installs it below `project`. @returns the size of what was packed. */
async function install(folder: string, project: string, ...more: readonly string[]): Promise<number> {
  // What is built is what is tested: the tests run after the build, so it is not made again here.
  await run('npm', ['pack', '--ignore-scripts', '--pack-destination', project], { cwd: packagePath(folder) });
  const tarball = join(project, (await readdir(project)).find((name) => name.endsWith('.tgz')) ?? '');
  const quietly = ['--omit=dev', '--prefer-offline', '--no-audit', '--no-fund'];
  await run('npm', ['install', ...quietly, ...more, '--prefix', project, tarball], { cwd: project });
  return (await stat(tarball)).size;
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-pack-'));
  // As docs/deploy.md does it for systemd.
  await install('.', directory, '--global');
  application = await mkdtemp(join(tmpdir(), 'spillway-pack-agent-'));
});
afterAll(() =>
  Promise.all([directory, application].map((path) => rm(path, { recursive: true, force: true }))),
);

describe.concurrent('the package as users get it', () => {
  it('runs as `spillway` outside of its own repository', async () => {
    const bin = join(directory, 'bin', 'spillway');
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
      join(directory, 'bin', 'spillway'),
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

  it('says in one line what is wrong with a setting, and ends with 2', async () => {
    const bin = join(directory, 'bin', 'spillway');
    const failed = await run(bin, ['--port', 'http'], { cwd: directory }).catch((error: unknown) => error);
    expect(failed).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^spillway: --port: http must be a port number[^\n]*\n$/),
    });
  });
});

it.concurrent('gives an application the console to mount, with types that stand by themselves', async () => {
  // Beside the packages that npm has put there.
  const modules = join(directory, 'lib');
  const evaluated = await run(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      "import { createConsole } from 'spillway'; console.log(typeof createConsole)",
    ],
    { cwd: modules },
  );
  expect(evaluated.stdout.trim()).toBe('function');
  const source = join(modules, 'application.mts');
  await writeFile(
    source,
    `import { createConsole } from 'spillway';
const { listener, close } = await createConsole({ basePath: '/ops', authenticate: () => ({ name: 'ada', role: 'admin' }) });
export { close, listener };
`,
  );
  const tsc = packagePath('node_modules/typescript/bin/tsc');
  const types = ['--types', 'node', '--typeRoots', packagePath('node_modules/@types')];
  const how = [
    '--noEmit',
    '--strict',
    '--ignoreConfig',
    '--module',
    'nodenext',
    '--target',
    'es2023',
    ...types,
  ];
  await run(process.execPath, [tsc, source, ...how], { cwd: directory });
});

describe.concurrent('the agent’s package as an application gets it', () => {
  it('is small, brings nothing else, and has the same way in by import, by require and without code', async () => {
    expect(await install('agent', application)).toBeLessThan(150 * 1024);
    const installed = (await readdir(join(application, 'node_modules'))).filter(
      (name) => !name.startsWith('.'),
    );
    expect(installed).toEqual(['spillway-agent']);
    const evaluated = async (...args: readonly string[]): Promise<string> =>
      (await run(process.execPath, [...args], { cwd: application })).stdout.trim();
    const names = 'attach,health,healthHandler';
    const keys = "console.log(Object.keys(agent).filter((key) => key !== 'default').sort().join())";
    const imported = `import * as agent from 'spillway-agent'; ${keys}`;
    expect(await evaluated('--input-type=module', '-e', imported)).toBe(names);
    const required = `const agent = require('spillway-agent'); ${keys}`;
    expect(await evaluated('--input-type=commonjs', '-e', required)).toBe(names);
    // One agent, however it was reached: else each would have half of the workers.
    const both = `import { attach } from 'spillway-agent'; import { createRequire } from 'node:module';
      console.log(createRequire(import.meta.url)('spillway-agent').attach === attach)`;
    expect(
      await evaluated(
        '--input-type=module',
        '-e',
        both.replaceAll('import.meta.url', '`${process.cwd()}/x.js`'),
      ),
    ).toBe('true');
    for (const flag of ['--import', '--require'])
      expect(await evaluated(flag, 'spillway-agent/register', '-e', "console.log('on')")).toBe('on');
  });
});

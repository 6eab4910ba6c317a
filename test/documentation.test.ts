import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ACTIONS } from '../server/actions/index.js';
import { loadConfig } from '../server/config/config.js';
import { packagePath } from '../server/process/package-path.js';
import { type AttachedProcess, startAttached } from './support/attached-process.js';
import { type Scene, startScene, untilSeen } from './support/scene.js';
import { until } from './support/until.js';

const run = promisify(execFile);
const CHAPTERS = readdirSync(packagePath('docs'))
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name}`);
const FILES = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...CHAPTERS];
const textOf = (file: string): string => readFileSync(packagePath(file), 'utf8');

/** What stands between ```language and ``` in a file. */
function blocksOf(file: string, language: string): readonly string[] {
  const fences = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm');
  return [...textOf(file).matchAll(fences)].map(([, block = '']) => block);
}

/** The commands of a file's shell blocks, whole where a line is continued, without comments. */
function commandsOf(file: string): readonly string[] {
  return blocksOf(file, 'sh')
    .flatMap((block) => block.replace(/\\\n\s*/g, '').split(/\n(?!\s)/))
    .map((line) => line.replace(/^#.*$|\s+# .*$/gm, '').trim())
    .filter((line) => line !== '');
}

/** The anchor that readers of Markdown give a heading. */
function anchorsOf(file: string): readonly string[] {
  return [...textOf(file).matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

describe('what is written down', () => {
  it.each(FILES)('%s links to nothing that is not there', (file) => {
    const links = [...textOf(file).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
    const dead = links.filter((link) => {
      if (/^https?:/.test(link)) return false;
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? file : normalize(join(dirname(file), path));
      if (!existsSync(packagePath(target))) return true;
      return anchor !== undefined && !anchorsOf(target).includes(anchor);
    });
    expect(dead).toEqual([]);
  });

  it('keeps README within one screen or two, and leads to every chapter', () => {
    expect(Buffer.byteLength(textOf('README.md'))).toBeLessThan(10_240);
    for (const chapter of CHAPTERS) expect(textOf('README.md')).toContain(`(${chapter})`);
  });

  it('has every action in the chapter about actions, and none that is not there', () => {
    const named = [...textOf('docs/actions.md').matchAll(/^\| (.*?) \|/gm)]
      .flatMap(([, cell = '']) => [...cell.matchAll(/`([a-z]+(?:\.[a-z-]+)?)`/g)])
      .map(([, name]) => name);
    expect(named.toSorted()).toEqual(ACTIONS.map(({ name }) => name).toSorted());
  });

  it('names scripts, drills and flags that exist', async () => {
    const { scripts } = JSON.parse(textOf('package.json'));
    const { stdout: help } = await run(process.execPath, [packagePath('dist/spillway/main.js'), '--help']);
    const commands = FILES.flatMap(commandsOf);
    for (const command of commands) {
      const [, script, drill] = /\bnpm (?:run )?(\S+)(?: ([a-z]\S*))?/.exec(command) ?? [];
      // The package itself is installed by test/pack.test.ts, in the same way.
      if (script === 'install')
        expect([
          'npm install spillway',
          'npm install spillway-agent',
          'npm install --global --prefix /opt/spillway ./spillway-*.tgz',
        ]).toContain(command);
      else if (script === 'ci') expect(command).toBe('npm ci && npm pack');
      else if (script !== undefined) expect(Object.keys(scripts)).toContain(script);
      if (script === 'drill') expect(existsSync(packagePath(`drills/${drill}.ts`))).toBe(true);
      for (const [file] of command.matchAll(/(?<= )(deploy|docs|static)\/\S+/g))
        expect([file, existsSync(packagePath(file))]).toEqual([file, true]);
      if (!/^(npx |docker compose run .*)?spillway /.test(command)) continue;
      for (const [flag] of command.slice(command.indexOf('spillway ')).matchAll(/--[a-z-]+/g))
        expect(help).toContain(flag);
    }
    expect(commands.length).toBeGreaterThan(30);
  });

  it('shows settings that the console takes', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'spillway-docs-'));
    try {
      for (const block of CHAPTERS.flatMap((file) => blocksOf(file, 'yaml'))) {
        const isRules = Array.isArray(parse(block));
        if (isRules) await writeFile(join(directory, 'rules.yaml'), block);
        else await writeFile(join(directory, 'rules.yaml'), '[]');
        const settings = isRules ? 'alerts: { rulesFile: rules.yaml }' : block;
        const config = join(directory, 'spillway.yaml');
        await writeFile(config, settings);
        const secrets = Object.fromEntries(
          [...block.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => [
            name,
            'https://example.com/secret-0123456789',
          ]),
        );
        expect(() => loadConfig({ config }, secrets), block).not.toThrow();
      }
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});

describe('the calls that are written down', () => {
  let scene: Scene;
  let workers: AttachedProcess;
  const placeholders = new Map<string, string>();

  beforeAll(async () => {
    scene = await startScene({
      fill: async ({ queue }) => {
        for (const name of ['mail', 'analytics', 'report-1'])
          await queue(name).addBulk(
            Array.from({ length: 20 }, (_, i) => ({ name: 'send-digest', data: { i } })),
          );
      },
    });
    workers = await startAttached({
      port: scene.redis.port,
      workers: [
        { queue: 'mail', jobMs: 50, failing: true, attach: { name: 'mail-1' } },
        { queue: 'analytics', jobMs: 50, attach: { name: 'analytics-1' } },
        { queue: 'report-1', jobMs: 50, attach: { name: 'report-1' } },
      ],
    });
    for (const id of ['bull:mail', 'bull:analytics', 'bull:report-1']) await untilSeen(scene, id);
    const worker = await until('the workers are seen', async () => {
      const { body } = await scene.console.ask('GET', '/api/v1/instances/default/workers');
      const [first] = body.workers;
      // By its connection alone it has another id, until its agent is heard.
      return body.workers.length === 3 && !first.id.startsWith('client:') && first.id;
    });
    placeholders.set('WORKER', worker);
    const incident = await scene.console.ask('POST', '/api/v1/incidents', {
      title: 'Mail stood',
      from: '2026-01-31T03:00:00Z',
    });
    placeholders.set('INCIDENT', incident.body.id);
  });
  afterAll(async () => {
    await workers?.stop();
    await scene?.stop();
  });

  it('are answered as they stand', async () => {
    const calls = FILES.flatMap(commandsOf).filter((command) => command.startsWith('curl '));
    const refused: string[] = [];
    for (const call of calls) {
      let command = call.replaceAll('localhost:3000', scene.console.url);
      for (const [name, value] of placeholders) command = command.replaceAll(name, value);
      const { stdout } = await run('bash', ['-c', `${command} -sS -w '\\n%{http_code}'`]);
      const [body, status] = stdout.split(/\n(?=\d+$)/);
      if (!/^2/.test(status ?? '')) refused.push(`${call}: ${status} ${body}`);
    }
    expect(refused).toEqual([]);
    expect(calls.length).toBeGreaterThan(25);
  });
});

#!/usr/bin/env node
// Makes a bare machine ready: packages, build, redis-server (not with --console) and, with --browser, what tests take
// besides: a browser, Alertmanager, promtool, PostgreSQL and the proxies that it is put behind.

// Plain Node without dependencies: it runs before node_modules exist. Each step is one line; what is there is left alone.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const OLDEST_NODE = [20, 19];
const TAIL_LINES = 30;
/** Debian asks this file before it starts a freshly installed service; exit code 101 means "don't". */
const POLICY_FILE = '/usr/sbin/policy-rc.d';

/** What is looked for, or installed, by what it is for. */
const PROGRAMS = {
  'redis-server': {
    variable: 'REDIS_SERVER_BIN',
    programs: ['redis-server', 'valkey-server'],
    packages: ['redis-server', 'redis-sentinel'],
  },
  browser: {
    variable: 'CHROMIUM_BIN',
    programs: [
      'chromium-headless-shell',
      ...['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
    ],
    // Without windows around its pages it opens them in a third of the time; not every Debian has it.
    packages: ['chromium-headless-shell', 'chromium'],
    isEither: true,
  },
  alertmanager: {
    variable: 'ALERTMANAGER_BIN',
    programs: ['prometheus-alertmanager', 'alertmanager'],
    packages: ['prometheus-alertmanager'],
  },
  nginx: { variable: 'NGINX_BIN', programs: ['nginx', '/usr/sbin/nginx'], packages: ['nginx'] },
  haproxy: { variable: 'HAPROXY_BIN', programs: ['haproxy', '/usr/sbin/haproxy'], packages: ['haproxy'] },
  caddy: { variable: 'CADDY_BIN', programs: ['caddy'], packages: ['caddy'] },
  img2webp: { variable: 'IMG2WEBP_BIN', programs: ['img2webp'], packages: ['webp'] },
  promtool: { variable: 'PROMTOOL_BIN', programs: ['promtool'], packages: ['prometheus'] },
  postgresql: {
    variable: 'INITDB_BIN',
    programs: ['initdb'],
    packages: ['postgresql'],
    // Debian keeps each release beside the PATH.
    places: ['18', '17', '16', '15', '14', '13'].map((release) => `/usr/lib/postgresql/${release}/bin`),
  },
};

/** What went wrong, in words for whoever typed the command; thrown, so that `finally` still tidies up. */
class Stop extends Error {}

process.on('uncaughtException', (error) => {
  console.error(error instanceof Stop ? error.message : error);
  process.exit(1);
});

checkNode();
installPackages();
build();
// `npm start` serves a Redis that is somewhere already; tests alone take a browser, and what alerts and rules are checked by.
if (!process.argv.includes('--console')) provide('redis-server');
if (process.argv.includes('--browser'))
  for (const what of ['browser', 'alertmanager', 'promtool', 'postgresql', 'nginx', 'haproxy', 'caddy'])
    provide(what);
if (process.argv.includes('--film')) for (const what of ['browser', 'img2webp']) provide(what);

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
    stop(`Node ${process.versions.node} is too old: install Node ${OLDEST_NODE.join('.')} or newer.`);
  }
  say('node', process.versions.node);
}

/** npm writes node_modules/.package-lock.json last: older than the lock file means not installed from it. */
function installPackages() {
  const installed = join(ROOT, 'node_modules', '.package-lock.json');
  if (
    existsSync(installed) &&
    statSync(installed).mtimeMs >= statSync(join(ROOT, 'package-lock.json')).mtimeMs
  ) {
    return say('packages', 'up to date');
  }
  run('packages', 'npm ci', 'npm', ['ci', '--no-audit', '--no-fund']);
}

function build() {
  const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  // As `npm run build`, on a PATH without npm too. Each checker makes the types of zod's schemas anew: four of them, as is
  // usual, take longer than two.
  const steps = [
    [compiler, '-b', '--checkers', '2'],
    [compiler, '-p', 'agent'],
    ['agent/wrap.mjs'],
    ['server/bundle.mjs'],
  ];
  run('build', 'tsc -b, the agent’s package, the console in one file', process.execPath, [
    '-e',
    `const { execFileSync } = require('node:child_process');
     for (const args of ${JSON.stringify(steps)})
       try { execFileSync(process.execPath, args, { stdio: 'inherit' }); } catch (error) { process.exit(error.status || 1); }`,
  ]);
}

/** Finds one of `programs`, or installs `packages` with apt-get, or says what to install and ends with code 1. */
function provide(what) {
  const { variable, programs, packages, places, isEither = false } = PROGRAMS[what];
  const there = () => programs.map((program) => onPath(program, places)).find(Boolean);
  const named = process.env[variable];
  if (named) {
    const path = onPath(named);
    if (path) return say(what, path);
    stop(`${variable} is ${named}, which is not a program that can be run.`);
  }
  const found = there();
  if (found) return say(what, found);

  const missing = `No ${programs.join(' or ')} on the PATH. Install ${packages.join(isEither ? ' or ' : ' and ')}, or set ${variable} to its path.`;
  if (!onPath('apt-get')) stop(missing);
  const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  if (
    asRoot.length > 0 &&
    (!onPath('sudo') || spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status !== 0)
  ) {
    stop(
      `${missing}\nOn this machine: sudo apt-get install ${(isEither ? packages.slice(-1) : packages).join(' ')}`,
    );
  }
  const quietly = ['env', 'DEBIAN_FRONTEND=noninteractive', 'RUNLEVEL=1', 'apt-get', '-q', '-y'];
  const apt = (...args) => {
    const [command, ...rest] = [...asRoot, ...quietly, ...args];
    run(what, `apt-get ${args.filter((arg) => !arg.startsWith('-')).join(' ')}`, command, rest, missing);
  };
  const guarded = keepServicesStopped(asRoot);
  try {
    apt('update');
    const isKnown = (name) => spawnSync('apt-cache', ['show', name], { stdio: 'ignore' }).status === 0;
    const wanted = isEither ? packages.filter(isKnown).slice(0, 1) : packages;
    apt('install', '--no-install-recommends', ...(wanted.length > 0 ? wanted : packages));
  } finally {
    if (guarded) rmSync(POLICY_FILE, { force: true });
  }
  const path = there();
  if (!path) stop(missing);
  say(what, path);
}

/** A redis-server that apt starts by itself would take port 6379. Only as root, and only where no policy exists. */
function keepServicesStopped(asRoot) {
  if (asRoot.length > 0 || existsSync(POLICY_FILE)) return false;
  try {
    writeFileSync(POLICY_FILE, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
    return true;
  } catch {
    return false;
  }
}

function run(step, title, command, args, hint = '') {
  const startedMs = Date.now();
  const result = spawnSync(command, args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (result.status === 0) return say(step, `${title} (${((Date.now() - startedMs) / 1000).toFixed(1)} s)`);
  const output =
    `${result.stdout ?? ''}${result.stderr ?? ''}${result.error ? result.error.message : ''}`.trimEnd();
  console.error(output.split('\n').slice(-TAIL_LINES).join('\n'));
  stop(
    `${title} failed${result.status === null ? '' : ` with code ${result.status}`}.${hint ? `\n${hint}` : ''}`,
  );
}

function onPath(program, also = []) {
  const places = program.includes('/')
    ? [program]
    : [...(process.env.PATH ?? '').split(delimiter), ...also].map((at) => join(at, program));
  return places.find((place) => {
    try {
      accessSync(place, constants.X_OK);
      return statSync(place).isFile();
    } catch {
      return false;
    }
  });
}

function say(step, text) {
  console.log(`${step.padEnd(12)} ${text}`);
}

function stop(message) {
  throw new Stop(message);
}

// Builds the image and runs it as a cluster would: without root, its own root read-only, on a volume. `npm run image:test`.
//
// CONTAINER_ENGINE  docker, podman, or either with options; without: the one that is there
// IMAGE             one that is built already; without: the Dockerfile is built
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const MOST_MB_ADDED = 60;
const MOST_MB_COMPRESSED = 110;
const READY_WITHIN_MS = 60_000;
const name = `spillway-image-test-${process.pid}`;

const isThere = (program) => spawnSync(program, ['--version']).status === 0;
const [engine = '', ...options] = (
  process.env.CONTAINER_ENGINE ??
  ['docker', 'podman'].find(isThere) ??
  ''
).split(' ');
assert(engine !== '', 'No docker or podman on the PATH: install one, or set CONTAINER_ENGINE.');

/** What the engine writes; throws where it fails. */
function ask(...args) {
  const { status, stdout, stderr } = spawnSync(engine, [...options, ...args], { encoding: 'utf8' });
  assert.equal(status, 0, `${engine} ${args.join(' ')}: ${stderr}${stdout}`);
  return stdout.trim();
}
const failsIn = (...args) => spawnSync(engine, [...options, 'exec', name, ...args]).status !== 0;

const image = process.env.IMAGE ?? 'localhost/spillway:image-test';
if (process.env.IMAGE === undefined) ask('build', '--tag', image, '.');

const dockerfile = readFileSync(new URL('../Dockerfile', import.meta.url), 'utf8');
const major = /^ARG NODE=(\d+)$/m.exec(dockerfile)?.[1];
const base = /^FROM (\S+)$/m.exec(dockerfile)?.[1]?.replace(/\$\{NODE\}/, major);
const megabytes = (of) => Number(ask('image', 'inspect', '--format', '{{.Size}}', of)) / 1e6;
const addedMegabytes = megabytes(image) - megabytes(base);
const compressed = spawnSync(
  'sh',
  ['-c', `${[engine, ...options].join(' ')} save ${image} | gzip -6 | wc -c`],
  {
    encoding: 'utf8',
  },
);
const compressedMegabytes = Number(compressed.stdout) / 1e6;

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
const [redisPort, port] = [await freePort(), await freePort()];
const redis = spawn(process.env.REDIS_SERVER_BIN ?? 'redis-server', ['--port', redisPort, '--save', '']);

try {
  const made = ask('run', '--rm', image, 'token', '--name', 'you', '--role', 'admin');
  assert.match(made, /SPILLWAY_TOKENS="you:admin:[0-9a-f]{64}"/);
  const tokens = /SPILLWAY_TOKENS="(.*)"/.exec(made)[1];
  const bearer = { Authorization: `Bearer ${/once\):\s+(\S+)/.exec(made)[1]}` };
  const url = `http://127.0.0.1:${port}`;

  const environment = { PORT: port, REDIS_URL: `redis://127.0.0.1:${redisPort}`, SPILLWAY_TOKENS: tokens };
  ask(
    ...['run', '--detach', '--name', name, '--network', 'host', '--read-only', '--cap-drop', 'all'],
    ...['--security-opt', 'no-new-privileges', '--volume', `${name}:/data`],
    ...Object.entries(environment).flatMap(([key, value]) => ['--env', `${key}=${value}`]),
    image,
  );
  const secondsToReady = await untilHealthy();
  assert.equal(ask('exec', name, 'id', '-u'), '1000');
  assert(failsIn('touch', '/app/x'), 'the root can be written');
  assert.match(ask('exec', name, 'spillway', 'health'), /^ready; default is live$/);

  const incident = { title: 'Kept over a restart', from: new Date(Date.now() - 60_000).toISOString() };
  const noted = await fetch(`${url}/api/v1/incidents`, {
    method: 'POST',
    headers: { ...bearer, 'Content-Type': 'application/json' },
    body: JSON.stringify(incident),
  });
  assert(noted.ok, await noted.text());
  ask('restart', name);
  await untilHealthy();
  const kept = await (await fetch(`${url}/api/v1/incidents`, { headers: bearer })).text();
  assert(kept.includes(incident.title), `the restart lost the incident: ${kept}`);

  ask('stop', name);
  assert.equal(ask('inspect', '--format', '{{.State.ExitCode}}', name), '0');
  console.log(`ready after ${secondsToReady.toFixed(1)} s, healthy, kept its data over a restart`);
} finally {
  spawnSync(engine, [...options, 'rm', '--force', '--volumes', name]);
  spawnSync(engine, [...options, 'volume', 'rm', '--force', name]);
  redis.kill();
}

console.log(
  `adds ${addedMegabytes.toFixed(1)} MB to ${base}; ${compressedMegabytes.toFixed(1)} MB compressed`,
);
assert(addedMegabytes <= MOST_MB_ADDED, `more than ${MOST_MB_ADDED} MB added`);
assert(compressedMegabytes <= MOST_MB_COMPRESSED, `more than ${MOST_MB_COMPRESSED} MB compressed`);

/** Waits until its HEALTHCHECK would succeed. @returns for how many seconds */
async function untilHealthy() {
  const startedMs = Date.now();
  while (failsIn('spillway', 'health')) {
    if (Date.now() - startedMs > READY_WITHIN_MS) throw new Error(ask('logs', name));
    await sleep(200);
  }
  return (Date.now() - startedMs) / 1000;
}

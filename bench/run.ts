import { readFile, writeFile } from 'node:fs/promises';
import { cpus, loadavg, totalmem } from 'node:os';
import { startRedis } from '../drills/own-redis.js';
import { packagePath } from '../server/process/package-path.js';
import { GROUPS } from './groups.js';
import { isBad, renderResults, summaryOf } from './render.js';
import { type Conditions, RESULTS, type Result, recorded } from './results.js';
import type { Say } from './row.js';

/**
 * `npm run bench`: what Spillway costs, beside its peers in the same run. Begin here and with `groups.ts`: a group is a
 * function that gives rows (`row.ts`), which `results.ts` keeps and `render.ts` puts into words. `world.ts`, `seed.ts` and
 * `cost.ts` are what all groups share. Imports anything, of tests only `test/support`; nothing imports it.
 */

const FILE = packagePath('bench/results.json');

/**
 * Measures one group: the console beside its peer, or what a flag asks for (`--replay`, see groups.ts). Its rows replace those
 * of bench/results.json, of which bench/RESULTS.md is made. Ends with an error when a row got worse beyond noise or misses its
 * limit. `--quick`: a tenth of the size, nothing written and nothing held against limits.
 */
async function main(): Promise<void> {
  const isQuick = process.argv.includes('--quick');
  const [asked = `--${GROUPS[0].name}`] = process.argv.slice(2).filter((flag) => flag !== '--quick');
  const group = GROUPS.find(({ name }) => asked === `--${name}`);
  if (!group)
    throw new Error(`${asked} is none of ${GROUPS.map(({ name }) => `--${name}`).join(', ')}, --quick`);
  const measured = await group.measure(isQuick, say);
  const rows = isQuick ? measured.map(({ limit: _, ...row }) => row) : measured;
  const before = isQuick ? [] : await readResults();
  const results = recorded(before, group.name, rows, await conditions());
  const own = results.filter((row) => row.group === group.name);
  say(renderResults(own, [group]));
  if (isQuick) return;
  await writeFile(FILE, `${JSON.stringify(results, null, 1)}\n`);
  await writeFile(packagePath('bench/RESULTS.md'), renderResults(results, GROUPS));
  for (const line of summaryOf(own)) say(line);
  if (isBad(own)) process.exitCode = 1;
}

async function readResults(): Promise<readonly Result[]> {
  return RESULTS.parse(JSON.parse(await readFile(FILE, 'utf8')));
}

async function conditions(): Promise<Conditions> {
  const load = Number((loadavg()[0] ?? 0).toFixed(1));
  const redis = await startRedis();
  const version = /redis_version:(\S+)/.exec(await redis.client.info('server'))?.[1] ?? 'unknown';
  await redis.stop();
  const gibibytes = Math.round(totalmem() / 2 ** 30);
  return {
    at: new Date().toISOString(),
    redis: version,
    node: process.versions.node,
    machine: `${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores, ${gibibytes} GiB`,
    load,
  };
}

const say: Say = (line) => void process.stdout.write(`${line}\n`);

await main();

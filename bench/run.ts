import { readFile, writeFile } from 'node:fs/promises';
import { cpus, loadavg, totalmem } from 'node:os';
import { startRedis } from '../drills/own-redis.js';
import { packagePath } from '../server/process/package-path.js';
import {
  type Conditions,
  judgedOf,
  RESULTS,
  type Result,
  recorded,
  type Verdict,
  verdictOf,
} from './results.js';
import type { Row, Say } from './row.js';

/** What is measured in one run, and stands in one table. */
interface Group {
  /** Asked for by `--<name>`. */
  readonly name: string;
  readonly title: string;
  /** Who the peer is. */
  readonly peer: string;
  /** What stands under the table. */
  readonly notes?: string;
  /** @param isQuick a tenth of the size, to see that it runs */
  measure(isQuick: boolean, say: Say): Promise<readonly Row[]>;
}

const CRASH_NOTES = `Who counts: BullMQ 5 and 6 workers write down each run of each job; the jobs at rest are compared byte by byte.

What can be promised:
- The console is killed, Redis is not: nothing is lost, nothing is run twice.
- Redis with \`appendfsync always\`: the same. What it has answered is on its disk, and a call whose answer was lost is made again under its own number.
- Redis with \`everysec\`, the process killed: what it has answered is with the kernel, as long as it does not put off writing (up to 2 s while a sync takes long). Nothing is lost; a run in those 2 s may be forgotten by Redis, and is then made again.
- Redis with \`everysec\` and a machine that loses its power: up to a second is forgotten, moves and runs alike. Nothing is lost; a job whose move and run were both forgotten stands in the failed set again and is moved again: nobody can know that it has run. For this the log of Redis is cut to what it was up to a second before.
- A worker that loses Redis in the midst of a job: BullMQ gives the job to another one (\`stalled\`). That is its promise of at least once, and not ours to change.`;

/** In the order of RESULTS.md, each loaded when it is measured; the first is what `npm run bench` measures. */
export const GROUPS: readonly [Group, ...Group[]] = [
  {
    name: 'console',
    title: 'Console',
    peer: 'The peer is @bull-board/api over Hono, serving the same queues from the same Redis in the same run.',
    measure: async (isQuick, say) => (await import('./console.js')).consoleRows(isQuick, say),
  },
  {
    name: 'replay',
    title: 'Replays',
    peer: 'The peer is "retry all" of @bull-board/api, on the same jobs. Redis and the prober run ahead of all else: what the machine takes is neither ours nor theirs.',
    measure: async (isQuick, say) => (await import('./replay.js')).replayRows(isQuick, say),
  },
  {
    name: 'agents',
    title: 'Agents',
    peer: 'The peer is the same workers without the agent.',
    async measure(isQuick) {
      const { agentRows } = await import('./agent-cost.js');
      const { steadyRow } = await import('./steady.js');
      const { everydayRow } = await import('./everyday.js');
      const minutes = isQuick ? ([0.5, 0.5] as const) : ([10, 5] as const);
      return [...(await agentRows(isQuick)), await steadyRow(minutes[0]), await everydayRow(minutes[1])];
    },
  },
  {
    name: 'memory',
    title: 'Where the memory is',
    peer: 'The peer is redis-cli on the same Redis in the same run.',
    measure: async (isQuick, say) => (await import('./memory.js')).memoryRows(isQuick, say),
  },
  {
    name: 'history',
    title: 'History',
    peer: 'No peer keeps a history.',
    measure: async (isQuick, say) => (await import('./history.js')).historyRows(isQuick, say),
  },
  {
    name: 'alerts',
    title: 'Alert rules',
    peer: 'There is no peer.',
    measure: async (isQuick, say) => (await import('./alert-rules.js')).alertRows(isQuick, say),
  },
  {
    name: 'hostile',
    title: 'Hostile input',
    peer: 'There is no peer.',
    measure: async (isQuick, say) => (await import('./hostile.js')).hostileRows(isQuick, say),
  },
  {
    name: 'crash',
    title: 'Kills',
    peer: 'There is no peer: its column says what is not our doing.',
    notes: CRASH_NOTES,
    measure: async (isQuick, say) => (await import('./crash.js')).crashRows(isQuick, say),
  },
];

const KINDS: readonly Result['kind'][] = ['ratio', 'cost', 'time'];
const SHOWN_RUNS = 4;

type Texts = Pick<Group, 'name' | 'title' | 'peer' | 'notes'>;

/** bench/RESULTS.md: what is wrong first, then a table for each group. */
export function renderResults(results: readonly Result[], groups: readonly Texts[]): string {
  return [
    '# Measured',
    '',
    ...summaryOf(results).map((line) => `- ${line}`),
    '',
    'Made by `npm run bench` from `results.json`, a group a run; everything of a run is on one machine. Ratios to the peer of the same run say most, then what a thing costs; wall times are also what the machine did otherwise, so they are held to their limits and not against earlier runs. A change counts when it is larger than the noise: the spread of earlier runs, and of what was measured several times within a run.',
    '',
    ...groups.flatMap((group) =>
      sectionOf(
        group,
        results.filter((row) => row.group === group.name),
      ),
    ),
  ].join('\n');
}

/** What got worse beyond noise and what misses its limit, a line each; or one line that nothing does. */
export function summaryOf(results: readonly Result[]): readonly string[] {
  const judged = results.map((row) => ({ row, verdict: verdictOf(row) }));
  const worse = judged.filter(({ verdict }) => verdict.since?.verdict === 'worse');
  const missed = judged.filter(({ verdict }) => verdict.isMissed);
  const lines = [
    ...worse.map(
      ({ row, verdict }) => `**Worse than the run before**: ${row.what}: ${sinceOf(row, verdict)}`,
    ),
    ...missed.map(
      ({ row, verdict }) =>
        `**Limit missed**: ${row.what}: ${shown(row, verdict.figure)}, wanted ${wantedOf(row)}`,
    ),
  ];
  return lines.length > 0 ? lines : ['Nothing got worse beyond noise, and every limit is held.'];
}

/** Whether a run must end with an error. */
export function isBad(results: readonly Result[]): boolean {
  return results.map(verdictOf).some(({ since, isMissed }) => isMissed || since?.verdict === 'worse');
}

function sectionOf({ title, peer, notes }: Texts, rows: readonly Result[]): readonly string[] {
  const [first] = rows;
  if (!first) return [];
  const { at, machine, redis, node, load } = first;
  return [
    `## ${title}`,
    '',
    `${at.slice(0, 16).replace('T', ' ')} UTC, ${machine}, load ${load === null ? 'unknown' : load.toFixed(1)}, Redis ${redis}, Node ${node}. ${peer}`,
    '',
    '| what | Spillway | peer | ratio | wanted | since the run before | runs before |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...KINDS.flatMap((kind) => rows.filter((row) => row.kind === kind)).map(lineOf),
    '',
    ...(notes === undefined ? [] : [notes, '']),
  ];
}

function lineOf(row: Result): string {
  const verdict = verdictOf(row);
  const spillway = [amount(row.value, row.unit), row.detail].filter(Boolean).join('; ');
  const peer = [row.peer === null ? '' : amount(row.peer, row.unit), row.peerDetail]
    .filter(Boolean)
    .join('; ');
  const wanted = row.limit === null ? '' : `${wantedOf(row)}${verdict.isMissed ? ' **missed**' : ''}`;
  const before = row.earlier.slice(0, SHOWN_RUNS).map((run) => digits(judgedOf(run, row.kind)));
  const cells = [row.what, spillway, peer, row.ratio === null ? '' : digits(row.ratio), wanted];
  return `| ${[...cells, sinceOf(row, verdict), before.join(', ')].map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function sinceOf(row: Result, { since }: Verdict): string {
  if (since === null)
    return row.kind === 'time' ? '' : row.earlier.length > 0 ? 'another machine' : 'first run';
  const { change, noise, verdict } = since;
  const text = `${change < 0 ? '−' : '+'}${shown(row, Math.abs(change))} (noise ${shown(row, noise)})`;
  return verdict === 'same' ? text : verdict === 'worse' ? `**worse** ${text}` : `better ${text}`;
}

function wantedOf(row: Result): string {
  return `≤ ${row.limit === null ? '' : shown(row, row.limit)}${row.kind === 'ratio' ? ' of the peer' : ''}`;
}

/** What is judged in its own unit: a ratio has none. */
function shown(row: Result, figure: number): string {
  return row.kind === 'ratio' ? digits(figure) : amount(figure, row.unit);
}

function amount(value: number, unit: string): string {
  return unit.startsWith('%') ? `${digits(value)}${unit}` : `${digits(value)} ${unit}`;
}

function digits(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString('en');
  return Math.abs(value) >= 100
    ? Math.round(value).toLocaleString('en')
    : String(Number(value.toPrecision(3)));
}

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

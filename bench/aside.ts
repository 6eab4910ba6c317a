import { writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { startRedis } from '../drills/own-redis.js';
import { packagePath } from '../server/package-path.js';
import { agentRows } from './agent-cost.js';
import { alertRows } from './alert-rules.js';
import { CRASH_NOTES, crashRows } from './crash.js';
import { everydayRow } from './everyday.js';
import { historyRows } from './history.js';
import { memoryRows } from './memory.js';
import { replayRows } from './replay.js';
import { type Row, renderReport } from './report.js';
import { steadyRow } from './steady.js';

type Say = (line: string) => void;
type Measure = (isQuick: boolean, say: Say) => Promise<void>;

/** Measurements that are asked for by a flag of their own, each with a report of its own. */
const ASIDE: Readonly<Record<string, Measure>> = {
  '--agents': measureAgents,
  '--memory': measureMemory,
  '--replay': measureReplay,
  '--crash': measureCrash,
  '--history': measureHistory,
  '--alerts': measureAlerts,
};

/** The measurement that the arguments ask for; null: the usual one. */
export function asideOf(args: readonly string[]): Measure | null {
  const flag = Object.keys(ASIDE).find((name) => args.includes(name));
  return flag === undefined ? null : (ASIDE[flag] ?? null);
}

async function measureAgents(isQuick: boolean, say: Say): Promise<void> {
  const rows = [
    ...(await agentRows(isQuick)),
    await steadyRow(isQuick ? 0.5 : 10),
    await everydayRow(isQuick ? 0.5 : 5),
  ];
  await keep(rows, 'RESULTS-agents.md', isQuick, say);
}

async function measureMemory(isQuick: boolean, say: Say): Promise<void> {
  const rows = await memoryRows(isQuick, say);
  const peer = 'The peer is redis-cli on the same Redis in the same run.';
  await keep(rows, 'RESULTS-memory.md', isQuick, say, peer);
}

async function measureReplay(isQuick: boolean, say: Say): Promise<void> {
  const rows = await replayRows(isQuick, say);
  const peer =
    'The peer is "retry all" of @bull-board/api, on the same jobs. Redis and the prober run ahead of all else: what the machine takes is neither ours nor theirs.';
  await keep(rows, 'RESULTS-replay.md', isQuick, say, peer);
}

async function measureCrash(isQuick: boolean, say: Say): Promise<void> {
  const rows = await crashRows(isQuick, say);
  const peer = 'There is no peer: its column says what is not our doing.';
  await keep(rows, 'RESULTS-crash.md', isQuick, say, peer, CRASH_NOTES);
}

async function measureHistory(isQuick: boolean, say: Say): Promise<void> {
  const rows = await historyRows(isQuick, say);
  const load = loadavg()[0]?.toFixed(1);
  await keep(
    rows,
    'RESULTS-history.md',
    isQuick,
    say,
    `No peer keeps a history. Load average at the end: ${load}.`,
  );
}

async function measureAlerts(isQuick: boolean, say: Say): Promise<void> {
  await keep(await alertRows(isQuick, say), 'RESULTS-alerts.md', isQuick, say, 'There is no peer.');
}

/** Says the report, and keeps it where it is of full size. */
async function keep(
  rows: readonly Row[],
  file: string,
  isQuick: boolean,
  say: Say,
  peer?: string,
  notes = '',
): Promise<void> {
  const redis = await startRedis();
  const version = /redis_version:(\S+)/.exec(await redis.client.info('server'))?.[1] ?? 'unknown';
  await redis.stop();
  const report = renderReport(rows, version, Date.now(), peer) + notes;
  say(report);
  if (!isQuick) await writeFile(packagePath(`bench/${file}`), report);
}

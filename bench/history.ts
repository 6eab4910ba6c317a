import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { encodeBlock } from '../server/history/block.js';
import { History } from '../server/history/history.js';
import { HistoryFile, type NewBlock } from '../server/history/history-file.js';
import { type Tier, tiersOf } from '../server/history/points.js';
import { Subjects } from '../server/history/subjects.js';
import { KEPT_SIGNALS } from '../server/signals/kept-signals.js';
import { snapshotAt } from '../test/support/history.js';
import { ownCpuMs } from './cost.js';
import { HistoryWorld, idOf } from './history-world.js';
import { cost, quantileOf, type Row, type Say, time } from './row.js';

/** Queues that differ; the blocks of each are written for ten, which the store can't tell. */
const DISTINCT = 100;
const READS = 100;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** So much room that nothing is pruned: the size that comes out is that of what was written. */
const SETTINGS = { tickHours: 1, tenSecondHours: 24, minuteDays: 30, maxBytes: 2 * 1024 ** 3 };

/**
 * A month of 1,000 queues: what it takes on disk, what a second of it costs to keep, how fast it is read.
 * Blocks of the past are encoded and written as the console does it, folded from noise that is made up; the last ticks
 * go the whole way, from Snapshots through memory and folding, by a clock that is passed in.
 */
export async function historyRows(isQuick: boolean, say: Say): Promise<readonly Row[]> {
  const directory = await mkdtemp(join(tmpdir(), 'spillway-history-bench-'));
  const [queues, days] = isQuick ? [100, 3] : [1_000, 30];
  const world = new HistoryWorld(queues);
  const endMs = Date.UTC(2026, 0, 31, 12, 0, 0) - 400_000;
  try {
    say(`writing ${days} days of ${queues} queues`);
    await writePast(directory, world, days, endMs, say);
    const size = (await stat(join(directory, 'history.db'))).size;
    const live = await runLive(directory, world, endMs, isQuick ? 700 : 1_500, say);
    const of = `${queues} queues`;
    return [
      cost(
        'file.size',
        `history.db of ${of} over ${days} days (minutes; ten seconds for a day; ticks for an hour)`,
        'MB',
        (size + live.ticksBytes) / 2 ** 20,
        { limit: 500 },
      ),
      cost(
        'keep.cpu',
        `CPU of keeping ${of}, a tick a second, folding and pruning included`,
        '% of a core',
        live.cpuRatio * 100,
        { limit: 5 },
      ),
      time('keep.stall', 'longest the event loop stood still for it at a tick, p99', 'ms', live.stall.p99, {
        detail: `median ${ms(live.stall.p50)}, worst ${ms(live.stall.worst)}`,
      }),
      ...chartRows('day', '24 h', live.day, { limit: 50 }),
      ...chartRows('month', '30 days', live.month),
    ];
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function chartRows(
  id: string,
  span: string,
  { p50, p99, cpuMs }: Figures & { readonly cpuMs: number },
  more: Pick<Row, 'limit'> = {},
): readonly Row[] {
  const what = `a chart of ${span} of one queue, one signal of 600 points, p99 of ${READS} queues`;
  return [
    time(`chart-${id}.read`, what, 'ms', p99, { detail: `median ${ms(p50)}`, ...more }),
    cost(`chart-${id}.cpu`, `CPU of a chart of ${span}, mean`, 'ms', cpuMs),
  ];
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`;
}

async function writePast(
  directory: string,
  world: HistoryWorld,
  days: number,
  endMs: number,
  say: Say,
): Promise<void> {
  const tiers = tiersOf(SETTINGS);
  const file = await HistoryFile.open(directory, SETTINGS.maxBytes, endMs, say);
  const ids = await file.signalIds();
  const subjects = new Subjects(tiers);
  const signals = KEPT_SIGNALS.filter(({ scope }) => scope === 'queue');
  const names = signals.map(({ name }) => name);
  for (let i = 0; i < world.queues; i++) {
    const entry = subjects.create({ instance: 'default', node: null, queue: idOf(i), type: null }, endMs);
    if (entry) entry.lastSecond = Math.floor(endMs / 1000);
  }
  const write = async (tier: Tier, fromMs: number, toMs: number): Promise<void> => {
    for (let startMs = fromMs; startMs < toMs; startMs += tier.blockMs) {
      const bodies = Array.from({ length: Math.min(DISTINCT, world.queues) }, (_, i) => {
        const all = world.stretch(i, names, startMs, tier.stepMs, tier.blockMs / tier.stepMs);
        const columns = signals.flatMap((signal, n) => {
          const points = all[n];
          return points ? [{ signal: ids.get(signal.name) ?? 0, points }] : [];
        });
        return encodeBlock(
          { scope: 'queue', stepMs: tier.stepMs, length: tier.blockMs / tier.stepMs },
          columns,
        );
      });
      const blocks = subjects.all.map((entry, i): NewBlock => {
        const body = bodies[i % bodies.length] ?? new Uint8Array();
        return { entry, tier: tier.name, startMs, body };
      });
      await file.write(blocks, []);
      if ((startMs - fromMs) % DAY_MS === 0) say(`${tier.name} ${new Date(startMs).toISOString()}`);
    }
  };
  const [minuteUntilMs, tenUntilMs] = subjects.all[0]
    ? [subjects.all[0].untilMs[2], subjects.all[0].untilMs[1]]
    : [endMs, endMs];
  await write(tiers[2], minuteUntilMs - days * DAY_MS, minuteUntilMs);
  await write(tiers[1], tenUntilMs - DAY_MS, tenUntilMs);
  file.close();
}

async function runLive(directory: string, world: HistoryWorld, startMs: number, ticks: number, say: Say) {
  let nowMs = startMs;
  const history = new History({ directory, settings: SETTINGS, now: () => nowMs, warn: say });
  await history.work();
  say(`${ticks} ticks from Snapshots`);
  const sizeBefore = (await stat(join(directory, 'history.db'))).size;
  const stalls: number[] = [];
  let cpuMs = 0;
  for (let i = 0; i < ticks; i++, nowMs += 1_000) {
    const queues = Array.from({ length: world.queues }, (_, n) => world.state(n, nowMs));
    const snapshot = snapshotAt(nowMs, queues);
    const delay = monitorEventLoopDelay({ resolution: 1 });
    cpuMs += await ownCpuMs(async () => {
      const startedAt = performance.now();
      history.take(snapshot, nowMs);
      const tookMs = performance.now() - startedAt;
      delay.enable();
      await history.work();
      delay.disable();
      stalls.push(Math.max(tookMs, delay.max / 1e6));
    });
  }
  const sizeAfter = (await stat(join(directory, 'history.db'))).size;
  const read = async (hours: number): Promise<number> => {
    const queue = idOf(Math.floor(Math.random() * world.queues));
    const startedAt = performance.now();
    await history.read({
      series: { instance: 'default', node: null, queue, type: null, signal: 'queue_backlog_jobs' },
      fromMs: nowMs - hours * HOUR_MS,
      toMs: nowMs,
      maxPoints: 600,
    });
    return performance.now() - startedAt;
  };
  const timed = async (hours: number) => {
    const times: number[] = [];
    const cpuMsOfAll = await ownCpuMs(async () => {
      for (let i = 0; i < READS; i++) times.push(await read(hours));
    });
    return { ...figuresOf(times), cpuMs: cpuMsOfAll / READS };
  };
  const [day, month] = [await timed(24), await timed(24 * 30)];
  await history.stop();
  return {
    cpuRatio: cpuMs / (ticks * 1000),
    // An hour of ticks, from those that were written here.
    ticksBytes: ((sizeAfter - sizeBefore) * 3_600) / ticks,
    stall: figuresOf(stalls),
    day,
    month,
  };
}

interface Figures {
  readonly p50: number;
  readonly p99: number;
  readonly worst: number;
}

function figuresOf(times: readonly number[]): Figures {
  return { p50: quantileOf(times, 0.5), p99: quantileOf(times, 0.99), worst: Math.max(...times) };
}

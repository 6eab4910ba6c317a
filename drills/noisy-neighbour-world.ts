import { hostname } from 'node:os';
import type { DrillStage } from './run.js';
import { sleep, WAIT_FACTOR } from './wait-for.js';
import type { World } from './world.js';

/** What is so, whatever the console says: all that its findings are held against. */
export const NOISY_NEIGHBOUR_TRUTH = {
  source: 'resync',
  /** Where the data of its jobs name the tenant. */
  tenantField: 'tenant',
  tenant: 'acme',
  victims: ['probes-a', 'probes-b'],
} as const;
const { source, tenant: endlessTenant, victims } = NOISY_NEIGHBOUR_TRUTH;

/** Waits are measured over this. */
const WINDOW_MS = 4_000;
const STEADY_MS = 15_000;
/** Trouble is when the waits of both victims are so many times what they were. */
const TROUBLE_TIMES = 10;
/**
 * Below this a wait is the machine's own noise and no trouble: a client's round trip and a timer take about as long.
 * On a machine that is shared there is more of it: 27 to 70 ms were seen for a while beside other work on two cores.
 */
const NOISE_MS = 5 * WAIT_FACTOR;

export interface NoisyStage extends DrillStage {
  /** What 9 of 10 jobs of each victim wait at most while all is well; filled by `measureNormal`. */
  readonly normalMs: Map<string, number>;
  floodedAtMs: number;
}

/** Two processes work on three queues; probes arrive steadily, and nothing is to be resynced yet. */
export async function startShared(world: World): Promise<void> {
  for (const name of ['layer-1', 'layer-2'])
    await world.work(name, {
      labels: { layer: 'shared', process: name, host: hostname() },
      answerMs: 4,
      works: [
        ...victims.map((queue) => ({ queue, name: `${name}-${queue}`, concurrency: 2, calls: 1 })),
        { queue: source, name: `${name}-${source}`, concurrency: 12, burnMs: 8, calls: 5, endlessTenant },
      ],
    });
  for (const queue of victims)
    await world.produce(`${queue} producer`, {
      queue,
      jobName: 'probe',
      dataChars: 100,
      options: { removeOnComplete: { count: 500 } },
      perSecond: 20,
      isOneByOne: true,
    });
}

/** What is normal, from the last seconds of a steady time. */
export async function measureNormal({ world, activity, normalMs }: NoisyStage): Promise<void> {
  await sleep(STEADY_MS);
  for (const queue of victims)
    normalMs.set(queue, world.ledger.waitMs(queue, Date.now() - STEADY_MS / 2, 0.9) ?? NOISE_MS);
  activity.note('probes wait as they always do', inWords(normalMs));
}

/** A server was rebuilt with an error: its resync never ends, and a few others are resynced too. */
export async function flood(stage: NoisyStage): Promise<void> {
  const { world, activity, normalMs } = stage;
  stage.floodedAtMs = Date.now();
  activity.moment('the resync begins');
  for (const [tenant, atOnce] of [
    [endlessTenant, 400],
    ['globex', 40],
    ['initech', 20],
  ] as const)
    await world.fill(`resync of ${tenant}`, {
      queue: source,
      jobName: 'resync',
      atOnce,
      // Below 16 KB: larger data are not read for their tenant.
      dataChars: 16_000,
      tenant,
      options: { removeOnComplete: true },
    });
  activity.note(`a resync of ${endlessTenant} begins that never ends`, inWords(normalMs));
}

/** Both victims wait many times as long as normally. */
export function isTrouble(stage: NoisyStage): boolean {
  return waits(stage).every(({ nowMs, normalMs }) => nowMs >= TROUBLE_TIMES * normalMs);
}

/** Both victims wait at most twice as long as normally. */
export function isRestored(stage: NoisyStage): boolean {
  return waits(stage).every(({ nowMs, normalMs }) => nowMs <= 2 * Math.max(NOISE_MS, normalMs));
}

export function waitsInWords(stage: NoisyStage): string {
  return inWords(new Map(waits(stage).map(({ queue, nowMs }) => [queue, nowMs])));
}

/** `nowMs`: of 9 of 10 jobs of a victim that started in the last seconds; Infinity: none did. */
function waits({ world, normalMs }: NoisyStage) {
  return victims.map((queue) => ({
    queue,
    nowMs: world.ledger.waitMs(queue, Date.now() - WINDOW_MS, 0.9) ?? Number.POSITIVE_INFINITY,
    normalMs: normalMs.get(queue) ?? 0,
  }));
}

function inWords(waitsMs: ReadonlyMap<string, number>): string {
  return `9 of 10 wait at most: ${[...waitsMs].map(([queue, ms]) => `${queue} ${ms.toFixed(0)} ms`).join(', ')}`;
}

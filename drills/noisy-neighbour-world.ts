import type { BacklogPlan } from './children/backlog.js';
import type { ProducerPlan } from './children/producer.js';
import type { SharedWorkerPlan } from './children/shared-worker.js';
import { PATIENCE } from './drill-times.js';
import type { Stage } from './scenario.js';
import { sleep } from './wait-for.js';
import type { World } from './world.js';

/** What is so, whatever the console says: all that its findings are held against. */
export const NOISY_NEIGHBOUR_TRUTH = {
  source: 'resync',
  /** Where the data of its jobs name the tenant. */
  tenantField: 'tenant',
  tenant: 'acme',
  victims: ['probes-a', 'probes-b'],
} as const;

const PROCESSES = ['layer-1', 'layer-2'];
/** Waits are measured over this. */
const WINDOW_MS = 4_000;
const STEADY_MS = 15_000;
/** Trouble is when the waits of both victims are so many times what they were. */
const TROUBLE_TIMES = 10;
/**
 * Below this a wait is the machine's own noise and no trouble: a client's round trip and a timer take about as long.
 * On a machine that is shared there is more of it: 27 to 70 ms were seen for a while beside other work on two cores.
 */
const NOISE_MS = 5 * PATIENCE;

export interface NoisyStage extends Stage {
  /** What 9 of 10 jobs of each victim wait at most while all is well; filled by `measureNormal`. */
  readonly normalMs: Map<string, number>;
  floodedAtMs: number;
}

/** Two processes work on three queues; probes arrive steadily, and nothing is to be resynced yet. */
export async function startShared(world: World): Promise<void> {
  for (const name of PROCESSES) {
    await world.play('shared-worker', name, {
      redisPort: world.redis.port,
      name,
      answerMs: 4,
      queues: [
        ...NOISY_NEIGHBOUR_TRUTH.victims.map((queue) => ({ queue, concurrency: 2, burnMs: 0, calls: 1 })),
        {
          queue: NOISY_NEIGHBOUR_TRUTH.source,
          concurrency: 12,
          burnMs: 8,
          calls: 5,
          endlessTenant: NOISY_NEIGHBOUR_TRUTH.tenant,
        },
      ],
    } satisfies SharedWorkerPlan);
  }
  for (const queue of NOISY_NEIGHBOUR_TRUTH.victims)
    await world.play('producer', `${queue} producer`, {
      redisPort: world.redis.port,
      queue,
      jobName: 'probe',
      dataChars: 100,
      options: { removeOnComplete: { count: 500 } },
      calmMs: Number.MAX_SAFE_INTEGER,
      ordinaryPerSecond: 20,
      surgePerSecond: 20,
      isBulk: false,
    } satisfies ProducerPlan);
}

/** What is normal, from the last seconds of a steady time. */
export async function measureNormal({ world, activity, normalMs }: NoisyStage): Promise<void> {
  await sleep(STEADY_MS);
  for (const queue of NOISY_NEIGHBOUR_TRUTH.victims)
    normalMs.set(queue, world.ledger.waitMs(queue, Date.now() - STEADY_MS / 2, 0.9) ?? NOISE_MS);
  activity.note('probes wait as they always do', inWords(normalMs));
}

/** A server was rebuilt with an error: its resync never ends, and a few others are resynced too. */
export async function flood({ world, activity, normalMs }: NoisyStage): Promise<number> {
  const of = (tenant: string, count: number): BacklogPlan => ({
    redisPort: world.redis.port,
    queue: NOISY_NEIGHBOUR_TRUTH.source,
    jobName: 'resync',
    count,
    // Below 16 KB: larger data are not read for their tenant.
    dataChars: 16_000,
    tenant,
  });
  const startedAtMs = Date.now();
  activity.moment('the resync begins');
  for (const [tenant, count] of [
    [NOISY_NEIGHBOUR_TRUTH.tenant, 400],
    ['globex', 40],
    ['initech', 20],
  ] as const)
    await (await world.play('backlog', `resync of ${tenant}`, of(tenant, count))).stop();
  activity.note(`a resync of ${NOISY_NEIGHBOUR_TRUTH.tenant} begins that never ends`, inWords(normalMs));
  return startedAtMs;
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

interface VictimWait {
  readonly queue: string;
  /** Of 9 of 10 jobs that started in the last seconds; Infinity: none did. */
  readonly nowMs: number;
  readonly normalMs: number;
}

function waits({ world, normalMs }: NoisyStage): readonly VictimWait[] {
  return NOISY_NEIGHBOUR_TRUTH.victims.map((queue) => ({
    queue,
    nowMs: world.ledger.waitMs(queue, Date.now() - WINDOW_MS, 0.9) ?? Number.POSITIVE_INFINITY,
    normalMs: normalMs.get(queue) ?? 0,
  }));
}

function inWords(waitsMs: ReadonlyMap<string, number>): string {
  return `9 of 10 wait at most: ${[...waitsMs].map(([queue, ms]) => `${queue} ${ms.toFixed(0)} ms`).join(', ')}`;
}

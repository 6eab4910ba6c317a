import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { detectFindings } from '../server/findings/index.js';
import { DEFAULT_THRESHOLDS } from '../server/model/finding.js';
import type { FinishedJob } from '../server/model/job-type.js';
import type { QueueState } from '../server/model/snapshot.js';
import { stateKeys } from '../server/redis/queue-keys.js';
import { ByteBudget } from '../server/watch/agent-bounds.js';
import { QueueSamples } from '../server/watch/queue-samples.js';
import { QueueTypes } from '../server/watch/queue-types.js';
import { planSampling, type SamplingNeed } from '../server/watch/sampling-plan.js';
import { typeStatesOf } from '../server/watch/type-states.js';
import { type SeededRandom, seededRandom } from '../test/support/seeded-random.js';
import { aQueue, aSnapshot } from '../test/support/snapshot.js';
import { medianOf } from './row.js';

/** What the model of one console costs itself, without Redis. Answers by IPC; in a process of its own for its memory. */
export interface ModelSays {
  /** Processor time of one tick, the median and the longest of 80: other work of the machine is not in it. */
  readonly tickMs: number;
  readonly longestTickMs: number;
  /** Heap that 1,000 queues of 100 types hold, and one queue that has met 10,000. */
  readonly manyTypesBytes: number;
  readonly oneQueueBytes: number;
}

const QUEUES = 1_000;
/** Queues that one tick judges anew at most, and of which it samples jobs as the budget goes. */
const DUE = 150;
const SAMPLED = 40;
const TICKS = 100;
const WARM_TICKS = 20;
const SECONDS = 120;

interface Held {
  readonly queue: QueueState;
  readonly types: QueueTypes;
  readonly samples: QueueSamples;
}

function main(): void {
  const random = seededRandom(5);
  const gc = collector();
  const few = Array.from({ length: QUEUES }, (_, i) => hold(i, 4, 30, random));
  const times: number[] = [];
  for (let tick = 0; tick < TICKS; tick++) times.push(tickMs(few, tick, random));
  few.length = 0;
  const without = gc();
  const many = Array.from({ length: QUEUES }, (_, i) => hold(i, 100, 4, random));
  const held = gc() - without;
  many.length = 0;
  const empty = gc();
  const one = hold(0, 10_000, 10, random);
  const ofOne = gc() - empty;
  process.send?.({
    tickMs: medianOf(times.slice(WARM_TICKS)),
    longestTickMs: Math.max(...times.slice(WARM_TICKS)),
    manyTypesBytes: held,
    oneQueueBytes: Math.max(0, ofOne),
  } satisfies ModelSays);
  // What is weighed must be in use until then.
  if (one.types.records.size === 0) throw new Error('nothing was remembered');
  process.disconnect?.();
}

/** A queue that has been watched for two minutes. */
function hold(i: number, types: number, runsOfEach: number, random: SeededRandom): Held {
  const id = `bull:work-${i}`;
  const held = {
    queue: aQueue({
      id,
      counts: {
        waiting: 500,
        active: 5,
        delayed: 50,
        prioritized: 20,
        waitingChildren: 0,
        completed: 200,
        failed: 40,
        legacyPaused: 0,
      },
    }),
    types: new QueueTypes(new ByteBudget(1e9)),
    samples: new QueueSamples(),
  };
  for (let at = 0; at < runsOfEach; at++) {
    const nowMs = NOW_MS - SECONDS * 1_000 + (SECONDS * 1_000 * at) / runsOfEach;
    held.types.takeFinished(
      Array.from({ length: types }, (_, t) => aRun(t, nowMs, random)),
      'finished',
      true,
      nowMs,
    );
  }
  held.samples.take(
    {
      id,
      states: stateKeys(id, held.queue.counts).map(({ state, key, count }) => ({
        state,
        key,
        count,
        isCensus: false,
        jobs: Array.from({ length: Math.min(count, 2 * types) }, (_, n) => ({
          jobId: String(n),
          state,
          type: `type-${n % types}`,
          bytes: Math.round(random.logNormal(600, 1)),
          dataLength: 100,
          dataBytes: 300,
          optsBytes: 64,
          stackBytes: 0,
          returnBytes: 0,
          logBytes: 0,
          addedAtMs: NOW_MS,
          delayMs: 0,
          startedAtMs: null,
        })),
      })),
      structure: null,
    },
    held.queue,
    NOW_MS,
  );
  return held;
}

const NOW_MS = 1_800_000_000_000;

function aRun(type: number, endedAtMs: number, random: SeededRandom): FinishedJob {
  const durationMs = Math.round(random.logNormal(200, 0.7));
  return {
    jobId: String(endedAtMs + type),
    type: `type-${type}`,
    failed: random.uniform() < 0.05,
    endedAtMs,
    startedAtMs: endedAtMs - durationMs,
    dueAtMs: endedAtMs - durationMs - 100,
    process: 'worker-1',
    error: null,
  };
}

function tickMs(all: readonly Held[], tick: number, random: SeededRandom): number {
  const nowMs = NOW_MS + tick * 1_000;
  const due = Array.from({ length: DUE }, (_, i) => all[(tick * DUE + i) % all.length]).flatMap(
    (one) => one ?? [],
  );
  for (const { types } of due) types.takeFinished([aRun(tick % 4, nowMs, random)], 'finished', true, nowMs);
  const before = process.cpuUsage();
  for (const { queue, samples } of due.slice(0, SAMPLED)) samples.memory(queue, nowMs);
  for (const { queue, types, samples } of due) {
    typeStatesOf({
      queue,
      types,
      sampledOf: (key) => samples.state(key),
      slotsByProcess: null,
      thresholdOf: () => null,
      nowMs,
    });
  }
  const needs: SamplingNeed[] = all.flatMap(({ queue, samples }) =>
    stateKeys(queue.id, queue.counts).map((key) => ({
      ...samples.need(queue, key, nowMs),
      isCensus: false,
      ageMs: 1_000 * (tick % 30),
      changedRatio: 0.1,
    })),
  );
  planSampling(needs, 300);
  detectFindings(aSnapshot({ queues: all.map(({ queue }) => queue) }), nowMs, DEFAULT_THRESHOLDS);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function collector(): () => number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  return () => {
    collect();
    return process.memoryUsage().heapUsed;
  };
}

main();

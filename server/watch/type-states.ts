import { OTHER_TYPES } from '../../agent/protocol.js';
import { type Estimate, isStarvedBy, type JobTypeState, type RunTimes } from '../model/job-type.js';
import type { JobState } from '../model/memory.js';
import type { QueueState } from '../model/snapshot.js';
import { stateKeys } from '../redis/queue-keys.js';
import { judgeBatchWait } from './batch-wait/verdict.js';
import type { QueueTypes } from './queue-types.js';
import { type CountEstimate, estimateCount, type SampledState, stratumOf } from './sampled-state.js';
import type { RecentRuns, TypeRecord } from './type-record.js';
import { findFailureRise, judgeAbsence, slowReason } from './type-trends.js';

/** Types that a Snapshot carries of one queue. */
const MAX_SHOWN = 60;
/** Beyond so many jobs waiting the newest of them say what comes in; below, what comes in is what goes out. */
const MANY_WAITING = 50;
/** Jobs that start sooner come one by one, as they are added. */
const PROMPT_MS = 5_000;

interface TypesInput {
  readonly queue: QueueState;
  readonly types: QueueTypes;
  /** What was sampled of the jobs in a list, or counted one by one; null: nothing. */
  readonly sampledOf: (key: string) => SampledState | null;
  /** By the id of an agent; null: no agent tells. */
  readonly slotsByProcess: ReadonlyMap<string, number> | null;
  readonly thresholdOf: (type: string) => number | null;
  readonly nowMs: number;
}

interface Known {
  readonly name: string;
  readonly record: TypeRecord | null;
  readonly recent: RecentRuns | null;
  readonly run: RunTimes | null;
  readonly waiting: Estimate | null;
  readonly active: Estimate | null;
}

/** Everything that is known of a queue's job types, the one that holds most work first. */
export function typeStatesOf(input: TypesInput): readonly JobTypeState[] {
  const waiting = countsIn(input, ['waiting', 'prioritized']);
  const active = countsIn(input, ['active']);
  const names = new Set([
    ...input.types.records.keys(),
    ...(waiting?.keys() ?? []),
    ...(active?.keys() ?? []),
  ]);
  const known: readonly Known[] = [...names].map((name) => {
    const record = input.types.records.get(name) ?? null;
    const recent = record?.recent(input.nowMs);
    return {
      name,
      record,
      recent: recent ?? null,
      run: recent?.run ?? null,
      waiting: waiting === null ? null : (waiting.get(name) ?? exactly(0)),
      active: active === null ? null : (active.get(name) ?? exactly(0)),
    };
  });
  const workOf = workShares(known);
  const jobs = known.reduce((sum, type) => sum + (type.waiting?.value ?? 0), 0);
  const shownFirst = [...known].sort(
    (a, b) =>
      (workOf.get(b.name) ?? 0) - (workOf.get(a.name) ?? 0) || (b.run?.count ?? 0) - (a.run?.count ?? 0),
  );
  return shownFirst
    .slice(0, MAX_SHOWN)
    .map((type) => stateOf(input, type, workOf.get(type.name) ?? null, jobs));
}

function stateOf(input: TypesInput, type: Known, shareOfWork: number | null, jobs: number): JobTypeState {
  const { queue, types, nowMs } = input;
  const { record, run, recent } = type;
  const baseline = record?.baseline(nowMs) ?? null;
  const memory = queue.memory?.types.find((one) => one.type === type.name) ?? null;
  const rates = ratesOf(input, record, recent?.unseen ?? 0);
  const running = types.running.filter((job) => job.type === type.name);
  const thresholdMs = input.thresholdOf(type.name);
  const finished = rates === null ? null : rates.completed + rates.failed;
  const completions = record?.completions ?? [];
  return {
    name: type.name,
    waiting: type.waiting,
    active: type.active,
    shareOfBacklog: type.waiting === null || jobs === 0 ? null : type.waiting.value / jobs,
    arrivalsPerSecond: arrivalsOf(input, type.name, finished),
    completedPerSecond: rates?.completed ?? null,
    failedPerSecond: rates?.failed ?? null,
    source: record ? types.source : null,
    isPartial: (recent?.unseen ?? 0) > 0 && types.source !== 'agent',
    run,
    longestRunningMs:
      running.length === 0 ? null : nowMs - Math.min(...running.map(({ startedAtMs }) => startedAtMs)),
    waited: recent?.waited ?? null,
    baseline,
    effectiveConcurrency: finished === null || !run ? null : (finished * run.meanMs) / 1000,
    memoryBytes: memory?.bytes ?? null,
    memoryErrorBytes: memory?.errorBytes ?? null,
    bytesPerJob: memory?.bytesPerJob ?? null,
    slowThresholdMs: thresholdMs,
    slow: slowReason({
      run,
      baseline,
      thresholdMs,
      shareOfWork,
      queueDrainSeconds: queue.drainSeconds,
    }),
    batchWait: record ? batchWaitOf(input, record) : null,
    failing: record && type.name !== OTHER_TYPES ? failingOf(record) : null,
    absent:
      type.name === OTHER_TYPES || wasBacklog(record)
        ? null
        : judgeAbsence(completions, running.length > 0 || (type.active?.value ?? 0) > 0, nowMs),
    lastCompletedAtMs: completions[completions.length - 1] ?? null,
    lastError: record?.lastError ?? null,
    runTrend: record?.runTrend(nowMs) ?? [],
    waitTrend: record?.waitTrend(nowMs) ?? [],
  };
}

/** The end of a backlog that was worked off says nothing about who adds jobs: an import that is through is not missing. */
function wasBacklog(record: TypeRecord | null): boolean {
  return (record?.lastWaitedMs ?? 0) > PROMPT_MS;
}

function batchWaitOf(input: TypesInput, record: TypeRecord): JobTypeState['batchWait'] {
  const { runs, unseen } = record.runs(input.nowMs);
  if (runs.length === 0) return null;
  const { slotsByProcess, queue } = input;
  const isRateLimited = queue.rateLimit !== null && queue.rateLimitedForMs > 0;
  const key = `${record.runsVersion} ${isRateLimited} ${slotsByProcess ? [...slotsByProcess].join() : ''}`;
  const wait = record.batchWait.of(key, () =>
    judgeBatchWait({ runs, slotsByProcess, isRateLimited, skippedRuns: unseen }),
  );
  // What ran may have been other processes than those that are there now, before a restart, and have had other slots.
  return wait && { ...wait, isStarved: isStarvedBy(slotsByProcess, queue.backlog, wait) };
}

function failingOf(record: TypeRecord): JobTypeState['failing'] {
  return record.failing.of(String(record.outcomesVersion), () => findFailureRise(record.buckets));
}

/** Jobs of each type in some states, by the samples of them; null: not sampled. */
function countsIn(
  { queue, sampledOf }: TypesInput,
  states: readonly JobState[],
): ReadonlyMap<string, Estimate> | null {
  const keys = stateKeys(queue.id, queue.counts).filter(({ state }) => states.includes(state));
  if (keys.length === 0) return new Map();
  const counts = new Map<string, Omit<CountEstimate, 'error'>>();
  let isSampled = false;
  for (const { key, count } of keys) {
    const state = sampledOf(key);
    if (!state) continue;
    isSampled = true;
    const stratum = stratumOf(state, count);
    for (const [type, moments] of state.parts) {
      const { value, below, above } = estimateCount(stratum, moments);
      const before = counts.get(type) ?? { value: 0, below: 0, above: 0 };
      counts.set(type, {
        value: before.value + value,
        below: Math.hypot(before.below, below),
        above: Math.hypot(before.above, above),
      });
    }
  }
  if (!isSampled) return null;
  const total = keys.reduce((sum, { count }) => sum + count, 0);
  return new Map(
    [...counts].map(([type, { value, below, above }]) => [
      type,
      {
        value: Math.round(value),
        low: Math.max(0, Math.round(value - below)),
        high: Math.min(total, Math.round(value + above)),
      },
    ]),
  );
}

function exactly(value: number): Estimate {
  return { value, low: value, high: value };
}

/** Share of the waiting work (jobs × mean run time) that each type makes up; a type that has not run is taken for average. */
function workShares(types: readonly Known[]): ReadonlyMap<string, number> {
  const seen = types.flatMap(({ run }) => run ?? []);
  const runs = seen.reduce((sum, { count }) => sum + count, 0);
  const mean = runs > 0 ? seen.reduce((sum, { count, meanMs }) => sum + count * meanMs, 0) / runs : 1;
  const work = types.map(({ name, run, waiting }) => ({
    name,
    ms: (waiting?.value ?? 0) * (run?.meanMs ?? mean),
  }));
  const total = work.reduce((sum, { ms }) => sum + ms, 0);
  return new Map(total > 0 ? work.map(({ name, ms }) => [name, ms / total]) : []);
}

/** Where not every end is seen, a type's part of what is seen is taken of what leaves the queue. */
function ratesOf(
  { queue, types, nowMs }: TypesInput,
  record: TypeRecord | null,
  unseen: number,
): { readonly completed: number; readonly failed: number } | null {
  if (!record || types.source === null || types.source === 'active') return null;
  const own = record.rates(nowMs);
  if (types.source === 'agent' || unseen === 0 || !queue.rates) return own;
  let all = 0;
  for (const one of types.records.values()) {
    const { completed, failed } = one.rates(nowMs);
    all += completed + failed;
  }
  const scale = all > 0 ? Math.max(1, queue.rates.departuresPerSecond / all) : 1;
  return { completed: own.completed * scale, failed: own.failed * scale };
}

function arrivalsOf({ queue, types }: TypesInput, name: string, finished: number | null): number | null {
  if (!queue.rates) return null;
  const share = types.shareOfArrivals(name);
  if (queue.counts.waiting > MANY_WAITING && share !== null) return share * queue.rates.arrivalsPerSecond;
  return finished;
}

import { OTHER_TYPES } from '../../agent/protocol.js';
import type {
  Bytes,
  JobState,
  KindMemory,
  MemoryKind,
  QueueMemory,
  StateMemory,
  TypeMemory,
} from '../model/memory.js';
import type { QueueCounts } from '../model/snapshot.js';
import { type StateKey, stateKeys } from '../redis/queue-keys.js';
import type { QueueStructure } from '../redis/sample-jobs.js';
import { estimateBytes, estimateCount, JOB_KINDS, type SampledState, stratumOf } from './sampled-state.js';

/** Types shown by name; the rest is one entry. */
const MAX_TYPES_SHOWN = 50;

interface Input {
  readonly queue: { readonly id: string; readonly counts: QueueCounts };
  readonly states: ReadonlyMap<string, SampledState>;
  readonly structure: QueueStructure | null;
  readonly largest: QueueMemory['largest'];
  readonly nowMs: number;
  /** Absent: by samples. */
  readonly source?: QueueMemory['source'];
  /** Error of what lies beside jobs. */
  readonly structureErrorBytes?: number;
}

interface Counted extends StateKey {
  readonly sampled: SampledState | null;
  readonly jobs: Bytes;
  readonly structureBytes: number;
}

/**
 * What a queue holds by what was sampled of it and the counts of now. States that were not sampled count as nothing; what
 * they may hold, going by the others, is error.
 */
export function queueMemoryOf(input: Input): QueueMemory {
  const { queue, states, structure, largest, nowMs } = input;
  const keys = stateKeys(queue.id, queue.counts);
  const usualBytes = meanOf(keys, states);
  const counted: readonly Counted[] = keys.map((key) => {
    const sampled = states.get(key.key) ?? null;
    return {
      ...key,
      sampled,
      jobs: sampled
        ? estimateBytes(stratumOf(sampled, key.count), sampled.all)
        : { bytes: 0, errorBytes: key.count * usualBytes },
      structureBytes: structure?.byKey.get(key.key) ?? 0,
    };
  });
  const stateList = statesOf(counted);
  const bytesIn = (...wanted: readonly JobState[]): number =>
    stateList.filter(({ state }) => wanted.includes(state)).reduce((sum, { bytes }) => sum + bytes, 0);
  const kinds = kindsOf(counted, structure);
  return {
    readAtMs: nowMs,
    source: input.source ?? 'sample',
    sampledJobs: Math.round(counted.reduce((sum, { sampled }) => sum + (sampled?.all.weight ?? 0), 0)),
    backlogBytes: bytesIn('waiting', 'prioritized', 'delayed', 'active', 'waiting-children'),
    completedBytes: bytesIn('completed'),
    failedBytes: bytesIn('failed'),
    eventsBytes: structure?.eventsBytes ?? 0,
    totalBytes: kinds.reduce((sum, { bytes }) => sum + bytes, 0),
    errorBytes: together([...counted.map(({ jobs }) => jobs.errorBytes), input.structureErrorBytes ?? 0]),
    states: stateList,
    types: typesOf(counted),
    kinds,
    largest,
  };
}

/** Errors of independent samples add up as squares. */
function together(errors: readonly number[]): number {
  return Math.round(Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0)));
}

function statesOf(counted: readonly Counted[]): readonly StateMemory[] {
  const states = new Map<JobState, StateMemory>();
  for (const { state, count, jobs, structureBytes } of counted) {
    const before = states.get(state);
    states.set(state, {
      state,
      jobs: (before?.jobs ?? 0) + count,
      bytes: (before?.bytes ?? 0) + Math.round(jobs.bytes) + structureBytes,
      errorBytes: together([before?.errorBytes ?? 0, jobs.errorBytes]),
    });
  }
  return [...states.values()];
}

/** Mean size of the jobs that are known; 0: of none. */
function meanOf(keys: readonly StateKey[], states: ReadonlyMap<string, SampledState>): number {
  const known = keys.flatMap(({ key }) => states.get(key)?.all ?? []);
  const weight = known.reduce((sum, all) => sum + all.weight, 0);
  return weight > 0 ? known.reduce((sum, all) => sum + all.bytes, 0) / weight : 0;
}

function kindsOf(counted: readonly Counted[], structure: QueueStructure | null): readonly KindMemory[] {
  const ofJobs = JOB_KINDS.map((kind) => {
    const parts = counted.flatMap(({ sampled, count }) =>
      sampled ? estimateBytes(stratumOf(sampled, count), sampled.kinds[kind]) : [],
    );
    return {
      kind: kind as MemoryKind,
      bytes: Math.round(parts.reduce((sum, { bytes }) => sum + bytes, 0)),
      errorBytes: together(parts.map(({ errorBytes }) => errorBytes)),
    };
  });
  const beside: readonly (readonly [MemoryKind, number])[] = [
    ['structure', counted.reduce((sum, { structureBytes }) => sum + structureBytes, 0)],
    ['events', structure?.eventsBytes ?? 0],
    ['schedulers', structure?.schedulersBytes ?? 0],
    [
      'locks',
      structure?.locksBytes ?? LOCK_BYTES * (counted.find(({ state }) => state === 'active')?.count ?? 0),
    ],
    ['settings', structure?.settingsBytes ?? 0],
  ];
  return [...ofJobs, ...beside.map(([kind, bytes]) => ({ kind, bytes, errorBytes: 0 }))]
    .filter(({ bytes }) => bytes > 0)
    .sort((a, b) => b.bytes - a.bytes);
}

/** MEMORY USAGE of `<queue>:<job>:lock` with a token of BullMQ's length, with its entry among the expiring keys. [run: 144 + 24] */
const LOCK_BYTES = 168;

interface TypeSum {
  unfinished: number;
  unfinishedErrors: number[];
  backlogBytes: number;
  completedBytes: number;
  failedBytes: number;
  errors: number[];
  jobs: number;
}

function typesOf(counted: readonly Counted[]): readonly TypeMemory[] {
  const sums = new Map<string, TypeSum>();
  for (const { sampled, count, state } of counted) {
    if (!sampled) continue;
    const stratum = stratumOf(sampled, count);
    for (const [type, moments] of sampled.parts) {
      const sum = sums.get(type) ?? noSum();
      const { bytes, errorBytes } = estimateBytes(stratum, moments);
      const jobs = estimateCount(stratum, moments);
      sum.errors.push(errorBytes);
      sum.jobs += jobs.value;
      if (state === 'completed') sum.completedBytes += bytes;
      else if (state === 'failed') sum.failedBytes += bytes;
      else {
        sum.backlogBytes += bytes;
        sum.unfinished += jobs.value;
        sum.unfinishedErrors.push(jobs.error);
      }
      sums.set(type, sum);
    }
  }
  const types = [...sums].map(([type, sum]) => typeMemory(type, sum)).sort((a, b) => b.bytes - a.bytes);
  return withRest(types);
}

function noSum(): TypeSum {
  return {
    unfinished: 0,
    unfinishedErrors: [],
    backlogBytes: 0,
    completedBytes: 0,
    failedBytes: 0,
    errors: [],
    jobs: 0,
  };
}

function typeMemory(type: string, sum: TypeSum): TypeMemory {
  const bytes = sum.backlogBytes + sum.completedBytes + sum.failedBytes;
  return {
    type,
    bytes: Math.round(bytes),
    errorBytes: together(sum.errors),
    unfinished: Math.round(sum.unfinished),
    unfinishedError: together(sum.unfinishedErrors),
    backlogBytes: Math.round(sum.backlogBytes),
    completedBytes: Math.round(sum.completedBytes),
    failedBytes: Math.round(sum.failedBytes),
    bytesPerJob: sum.jobs > 0 ? Math.round(bytes / sum.jobs) : 0,
  };
}

function withRest(types: readonly TypeMemory[]): readonly TypeMemory[] {
  const named = types.filter(({ type }) => type !== OTHER_TYPES).slice(0, MAX_TYPES_SHOWN);
  const rest = types.filter((type) => !named.includes(type));
  if (rest.length === 0) return named;
  const sum = (read: (type: TypeMemory) => number): number =>
    rest.reduce((total, type) => total + read(type), 0);
  const jobs = rest.reduce(
    (total, { bytes, bytesPerJob }) => total + (bytesPerJob > 0 ? bytes / bytesPerJob : 0),
    0,
  );
  return [
    ...named,
    {
      type: OTHER_TYPES,
      bytes: sum(({ bytes }) => bytes),
      errorBytes: together(rest.map(({ errorBytes }) => errorBytes)),
      unfinished: sum(({ unfinished }) => unfinished),
      unfinishedError: together(rest.map(({ unfinishedError }) => unfinishedError)),
      backlogBytes: sum(({ backlogBytes }) => backlogBytes),
      completedBytes: sum(({ completedBytes }) => completedBytes),
      failedBytes: sum(({ failedBytes }) => failedBytes),
      bytesPerJob: jobs > 0 ? Math.round(sum(({ bytes }) => bytes) / jobs) : 0,
    },
  ];
}

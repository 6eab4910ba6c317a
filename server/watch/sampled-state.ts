import type { JobState, MemoryKind } from '../model/memory.js';
import type { JobFacts } from '../redis/job-facts.js';
import { addTo, fade, type Moments, noMoments, type Stratum } from './stratum.js';

/** Job types told apart in one state; what comes beyond is counted together. */
const MAX_TYPES = 200;
export const OTHER_TYPES = '(other)';

/** Kinds of data within a job. */
export const JOB_KINDS = [
  'payload',
  'options',
  'stack-traces',
  'return-values',
  'logs',
  'job-overhead',
] as const satisfies readonly MemoryKind[];
export type JobKind = (typeof JOB_KINDS)[number];

/** What the samples of one state say, faded as its jobs leave. */
export interface SampledState {
  readonly state: JobState;
  isCensus: boolean;
  /** Jobs that have come or gone since a census. */
  changed: number;
  weightSquared: number;
  /** Of the last samples. */
  sampledAtMs: number;
  /** Jobs that had been added to the queue by then. */
  addedTotal: number;
  readonly all: Moments;
  readonly kinds: Readonly<Record<JobKind, Moments>>;
  readonly types: Map<string, Moments>;
}

/** Takes one job in. */
export function addJob(state: SampledState, job: JobFacts): void {
  const bytes = job.bytes + job.logBytes;
  addTo(state.all, bytes);
  state.weightSquared += 1;
  const inFields = job.dataBytes + job.optsBytes + job.stackBytes + job.returnBytes;
  addTo(state.kinds.payload, job.dataBytes);
  addTo(state.kinds.options, job.optsBytes);
  addTo(state.kinds['stack-traces'], job.stackBytes);
  addTo(state.kinds['return-values'], job.returnBytes);
  addTo(state.kinds.logs, job.logBytes);
  // Short fields are packed closer than they would be by themselves.
  addTo(state.kinds['job-overhead'], job.bytes - inFields);
  const name = state.types.has(job.type) || state.types.size < MAX_TYPES ? job.type : OTHER_TYPES;
  const type = state.types.get(name) ?? noMoments();
  addTo(type, bytes);
  state.types.set(name, type);
}

export function newState(state: JobState): SampledState {
  return {
    state,
    isCensus: false,
    changed: 0,
    weightSquared: 0,
    sampledAtMs: Number.NEGATIVE_INFINITY,
    addedTotal: 0,
    all: noMoments(),
    kinds: {
      payload: noMoments(),
      options: noMoments(),
      'stack-traces': noMoments(),
      'return-values': noMoments(),
      logs: noMoments(),
      'job-overhead': noMoments(),
    },
    types: new Map(),
  };
}

export function fadeState(state: SampledState, ratio: number): void {
  fade(state.all, ratio);
  state.weightSquared *= ratio * ratio;
  for (const kind of JOB_KINDS) fade(state.kinds[kind], ratio);
  for (const [name, type] of state.types) {
    fade(type, ratio);
    if (type.weight < 0.01) state.types.delete(name);
  }
}

/** Kish: weights that fade are worth (Σw)² / Σw² independent samples. */
export function effectiveSamples(state: SampledState): number {
  return state.weightSquared > 0 ? (state.all.weight * state.all.weight) / state.weightSquared : 0;
}

export function stratumOf(state: SampledState, count: number): Stratum {
  return {
    count,
    weight: state.all.weight,
    effectiveSamples: effectiveSamples(state),
    isCensus: state.isCensus,
    changed: state.changed,
  };
}

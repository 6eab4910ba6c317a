import { OTHER_TYPES } from '../../agent/protocol.js';
import type { Bytes, JobState, MemoryKind, QueueMemory } from '../model/memory.js';
import type { JobFacts } from '../redis/job-facts.js';

/** Sums over sampled jobs of one kind: how many, their bytes, and their squares. Weights fade as jobs leave. */
export interface Moments {
  weight: number;
  bytes: number;
  bytesSquared: number;
}

export function noMoments(): Moments {
  return { weight: 0, bytes: 0, bytesSquared: 0 };
}

export function addTo(moments: Moments, bytes: number): void {
  moments.weight += 1;
  moments.bytes += bytes;
  moments.bytesSquared += bytes * bytes;
}

export function fade(moments: Moments, ratio: number): void {
  moments.weight *= ratio;
  moments.bytes *= ratio;
  moments.bytesSquared *= ratio;
}

/** What a sample of one state stands for. */
export interface Stratum {
  /** Jobs that it has now. */
  readonly count: number;
  /** Weight of all samples of the state, and the number of independent ones that they are worth. */
  readonly weight: number;
  readonly effectiveSamples: number;
  /** All were looked at: no error of sampling. */
  readonly isCensus: boolean;
  /** Jobs that have come or gone since all were looked at; absent: none. */
  readonly changed?: number;
}

/** Two standard errors hold the truth in 95 of 100 cases; of few samples it takes more (Student's t). */
function studentFactor(samples: number): number {
  return samples <= 2 ? 8 : 1.96 + 2.6 / (samples - 1);
}

/**
 * Total bytes in a state of the jobs that `part` sums up (all, or those of one type): count × mean over *all* samples, where
 * jobs outside the part count as 0 bytes; so the share of a type and its size are judged together. The error is that of a
 * random sample that may meet a job twice (Cochran, Sampling Techniques, 3rd ed., 2.8 and 2.11), since samples of several
 * ticks add up; even pieces make it smaller in truth.
 */
export function estimateBytes(stratum: Stratum, part: Moments): Bytes {
  const { count, weight, effectiveSamples: n } = stratum;
  if (count <= 0 || weight <= 0) return { bytes: 0, errorBytes: 0 };
  const mean = part.bytes / weight;
  const bytes = mean * count;
  const variance = Math.max(0, part.bytesSquared / weight - mean * mean);
  if (stratum.isCensus) return { bytes, errorBytes: changedFactor(stratum) * Math.sqrt(variance) };
  // Of a rare type few samples are its own, however many there are in all: those are what its spread is known by.
  const own = n * Math.min(1, part.weight / weight);
  const errorBytes = studentFactor(own) * count * Math.sqrt(variance / Math.max(1, n));
  return { bytes, errorBytes };
}

/** A share by estimate, 0..1; the truth lies from low to high in 95 of 100 cases. */
interface ShareRange {
  readonly share: number;
  readonly low: number;
  readonly high: number;
}

/**
 * The share of a part of a state's jobs, by the weight of it among all that were looked at: Wilson's interval (1927), which
 * does not lie evenly about the share: one job of one tells next to nothing, and 20 of 20 are at least 82%. Of few looks it
 * is wider still (studentFactor).
 */
export function shareRange(
  stratum: Pick<Stratum, 'weight' | 'effectiveSamples' | 'isCensus'>,
  partWeight: number,
): ShareRange {
  const { weight, effectiveSamples: n } = stratum;
  if (weight <= 0 || n <= 0) return { share: 0, low: 0, high: 1 };
  const share = Math.min(1, partWeight / weight);
  if (stratum.isCensus) return { share, low: share, high: share };
  const z = studentFactor(n);
  const centre = (share + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half = (z / (1 + (z * z) / n)) * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n));
  return {
    share,
    low: Math.max(0, Math.min(share, centre - half)),
    high: Math.min(1, Math.max(share, centre + half)),
  };
}

/** A number of jobs, and how far the truth may lie below and above it; `error` is the greater of both. */
export interface CountEstimate {
  readonly value: number;
  readonly below: number;
  readonly above: number;
  readonly error: number;
}

/** Number of jobs of a part: its share in the sample times the count. */
export function estimateCount(stratum: Stratum, part: Moments): CountEstimate {
  const { count, weight } = stratum;
  if (count <= 0 || weight <= 0) return { value: 0, below: 0, above: 0, error: 0 };
  const { share, low, high } = shareRange(stratum, part.weight);
  const changed = stratum.isCensus ? changedFactor(stratum) * Math.sqrt(share * (1 - share)) : 0;
  const [below, above] = [(share - low) * count + changed, (high - share) * count + changed];
  return { value: share * count, below, above, error: Math.max(below, above) };
}

/** Each job that changed differs from the one in its place by two independent draws: variances add up. */
function changedFactor({ changed = 0 }: Stratum): number {
  return changed > 0 ? 1.96 * Math.sqrt(2 * changed) : 0;
}

/** Job types kept apart in one state; what comes beyond is counted together. */
const MAX_TYPES = 200;

/** Kinds of data within a job. */
export const JOB_KINDS = [
  'payload',
  'options',
  'stack-traces',
  'return-values',
  'logs',
  'job-overhead',
] as const satisfies readonly MemoryKind[];
type JobKind = (typeof JOB_KINDS)[number];

/** What was seen of the jobs of one state, by type or by tenant; faded as jobs come and go. */
export interface JobSample {
  /** Every job was looked at. */
  isCensus: boolean;
  /** Jobs that have come or gone since a census. */
  changed: number;
  weightSquared: number;
  readonly all: Moments;
  readonly parts: Map<string, Moments>;
}

/** The samples of one state, for its memory and its job types. */
export interface SampledState extends JobSample {
  readonly state: JobState;
  /** Of the last samples. */
  sampledAtMs: number;
  /** Jobs that had been added to the queue by then. */
  addedTotal: number;
  readonly kinds: Readonly<Record<JobKind, Moments>>;
}

/** What has faded to this is as good as gone. */
const GONE_WEIGHT = 0.01;

export function newSample(): JobSample {
  return { isCensus: false, changed: 0, weightSquared: 0, all: noMoments(), parts: new Map() };
}

/** Takes one job in, as one of this part. */
export function addToSample(sample: JobSample, part: string, bytes: number): void {
  addTo(sample.all, bytes);
  sample.weightSquared += 1;
  const moments = sample.parts.get(part) ?? noMoments();
  addTo(moments, bytes);
  sample.parts.set(part, moments);
}

export function fadeSample(sample: JobSample, ratio: number): void {
  fade(sample.all, ratio);
  sample.weightSquared *= ratio * ratio;
  for (const [name, moments] of sample.parts) {
    fade(moments, ratio);
    if (moments.weight < GONE_WEIGHT) sample.parts.delete(name);
  }
}

/** Kish: weights that fade are worth (Σw)² / Σw² independent samples. */
export function effectiveSamples({ all, weightSquared }: JobSample): number {
  return weightSquared > 0 ? (all.weight * all.weight) / weightSquared : 0;
}

/** @param count jobs that the state has now. */
export function stratumOf(sample: JobSample, count: number): Stratum {
  return {
    count,
    weight: sample.all.weight,
    effectiveSamples: effectiveSamples(sample),
    isCensus: sample.isCensus,
    changed: sample.changed,
  };
}

/** Takes one job in. */
export function addJob(state: SampledState, job: JobFacts): void {
  const name = state.parts.has(job.type) || state.parts.size < MAX_TYPES ? job.type : OTHER_TYPES;
  addToSample(state, name, bytesOfJob(job));
  const inFields = job.dataBytes + job.optsBytes + job.stackBytes + job.returnBytes;
  addTo(state.kinds.payload, job.dataBytes);
  addTo(state.kinds.options, job.optsBytes);
  addTo(state.kinds['stack-traces'], job.stackBytes);
  addTo(state.kinds['return-values'], job.returnBytes);
  addTo(state.kinds.logs, job.logBytes);
  // Short fields are packed closer than they would be by themselves.
  addTo(state.kinds['job-overhead'], job.bytes - inFields);
}

/** The larger of what was the largest job so far and this one. */
export function largerOf(largest: QueueMemory['largest'], job: JobFacts): QueueMemory['largest'] {
  const bytes = bytesOfJob(job);
  return bytes > (largest?.bytes ?? 0)
    ? { jobId: job.jobId, type: job.type, bytes, state: job.state }
    : largest;
}

function bytesOfJob({ bytes, logBytes }: JobFacts): number {
  return bytes + logBytes;
}

export function newState(state: JobState): SampledState {
  return {
    ...newSample(),
    state,
    sampledAtMs: Number.NEGATIVE_INFINITY,
    addedTotal: 0,
    kinds: {
      payload: noMoments(),
      options: noMoments(),
      'stack-traces': noMoments(),
      'return-values': noMoments(),
      logs: noMoments(),
      'job-overhead': noMoments(),
    },
  };
}

export function fadeState(state: SampledState, ratio: number): void {
  fadeSample(state, ratio);
  for (const kind of JOB_KINDS) fade(state.kinds[kind], ratio);
}

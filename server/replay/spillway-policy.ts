import { globMatcher } from '../model/text.js';

/** The first rule that fits a queue and a job type decides; what no rule fits is never parked. */
interface PolicyRule {
  /** Globs of the queue's id or name, and of the job type. */
  readonly queue: string;
  readonly jobType: string;
  /** The higher, the longer it stays and the sooner it comes back. */
  readonly priority: number;
}

/** What one Redis does by itself when its memory runs out. */
export interface InstancePolicy {
  readonly instance: string;
  readonly mode: 'off' | 'dry-run' | 'on';
  /** Of the limit: from here on the least important jobs are parked, until it is below `lowRatio`. */
  readonly highRatio: number;
  readonly lowRatio: number;
  readonly restorePerSecond: number;
  readonly rules: readonly PolicyRule[];
}

/** Jobs of one type that wait in one queue. */
interface WaitingType {
  readonly queue: string;
  readonly queueName: string;
  readonly type: string;
  readonly jobs: number;
  readonly bytes: number;
}

/** What the policy parked before, and what became of it. */
export interface PolicyParking {
  readonly id: string;
  readonly queue: string;
  readonly queueName: string;
  readonly jobTypes: readonly string[];
  readonly remaining: number;
  readonly remainingBytes: number;
  readonly phase: 'park' | 'restore';
  readonly state: 'running' | 'paused' | 'aborted' | 'done';
  /** The policy goes on with what it has held itself; what a person or the guard has paused is theirs. */
  readonly pausedBy: 'person' | 'policy' | 'guard' | null;
}

export interface PolicyView {
  readonly usedBytes: number;
  readonly limitBytes: number;
  readonly waiting: readonly WaitingType[];
  readonly parkings: readonly PolicyParking[];
}

export type PolicyAct =
  | {
      readonly kind: 'park';
      readonly queue: string;
      readonly jobType: string;
      readonly most: number;
      readonly expectedBytes: number;
      readonly priority: number;
    }
  | { readonly kind: 'restore'; readonly parking: string; readonly queue: string; readonly jobs: number }
  | { readonly kind: 'hold'; readonly parking: string; readonly queue: string };

/** A parking that frees less is not worth a file. */
const LEAST_BYTES = 64 * 1024;

/**
 * What to do now: at or above the high watermark hold what comes back, then park, least important and largest first, what
 * brings memory to the low one; below the low one bring back, most important first, one parking at a time; between the two
 * nothing begins, so that it does not swing. Nothing while the last parking is still at work: its effect is not in the
 * numbers yet. Pure.
 */
export function decideSpillway(policy: InstancePolicy, view: PolicyView): readonly PolicyAct[] {
  if (policy.mode === 'off' || view.limitBytes <= 0) return [];
  const usedRatio = view.usedBytes / view.limitBytes;
  if (usedRatio >= policy.highRatio) return relieve(policy, view);
  if (usedRatio >= middle(policy)) return holdRestores(view);
  return usedRatio < policy.lowRatio ? bringBack(policy, view) : [];
}

/** A restore that runs goes on above the low watermark, up to half the way to the high one. */
function middle({ lowRatio, highRatio }: InstancePolicy): number {
  return (lowRatio + highRatio) / 2;
}

function relieve(policy: InstancePolicy, view: PolicyView): readonly PolicyAct[] {
  const acts: PolicyAct[] = [...holdRestores(view)];
  if (view.parkings.some(({ phase, state }) => phase === 'park' && state === 'running')) return acts;
  let neededBytes = view.usedBytes - policy.lowRatio * view.limitBytes;
  const ranked = view.waiting
    .map((waiting) => ({ ...waiting, priority: priorityOf(policy, waiting) }))
    .filter((entry): entry is typeof entry & { priority: number } => entry.priority !== null)
    .filter(({ jobs, bytes }) => jobs > 0 && bytes >= LEAST_BYTES)
    .sort(
      (a, b) =>
        a.priority - b.priority ||
        b.bytes - a.bytes ||
        (`${a.queue} ${a.type}` < `${b.queue} ${b.type}` ? -1 : 1),
    );
  for (const { queue, type, jobs, bytes, priority } of ranked) {
    if (neededBytes <= 0) break;
    const most = Math.min(jobs, Math.ceil((neededBytes * jobs) / bytes));
    const expectedBytes = Math.round((bytes * most) / jobs);
    acts.push({ kind: 'park', queue, jobType: type, most, expectedBytes, priority });
    neededBytes -= expectedBytes;
  }
  return acts;
}

function holdRestores(view: PolicyView): readonly PolicyAct[] {
  return view.parkings
    .filter(({ phase, state }) => phase === 'restore' && state === 'running')
    .map(({ id, queue }) => ({ kind: 'hold', parking: id, queue }));
}

function bringBack(policy: InstancePolicy, view: PolicyView): readonly PolicyAct[] {
  if (view.parkings.some(({ state }) => state === 'running')) return [];
  // One that a person aborted or paused stays where it is, and so does one whose jobs only fail.
  const ready = view.parkings
    .filter(({ remaining, state }) => remaining > 0 && state !== 'aborted')
    .filter(({ pausedBy }) => pausedBy !== 'person' && pausedBy !== 'guard')
    .map((parking) => ({
      ...parking,
      priority: priorityOf(policy, { ...parking, type: parking.jobTypes[0] ?? '' }) ?? 0,
    }))
    .sort((a, b) => b.priority - a.priority || a.remainingBytes - b.remainingBytes || (a.id < b.id ? -1 : 1));
  const [next] = ready;
  return next ? [{ kind: 'restore', parking: next.id, queue: next.queue, jobs: next.remaining }] : [];
}

function priorityOf(
  policy: InstancePolicy,
  what: Pick<WaitingType, 'queue' | 'queueName' | 'type'>,
): number | null {
  const rule = policy.rules.find((candidate) => {
    const isQueue = globMatcher(candidate.queue);
    return (isQueue(what.queue) || isQueue(what.queueName)) && globMatcher(candidate.jobType)(what.type);
  });
  return rule?.priority ?? null;
}

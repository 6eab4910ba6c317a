import { planBasisOf } from '../forecast/plan-basis.js';
import { drainedIn } from '../forecast/plan-words.js';
import { predict } from '../forecast/predict.js';
import { briefCount, briefDuration, briefRate, briefThings } from '../model/brief.js';
import type { Remedy } from '../model/finding.js';
import { formatCount } from '../model/format.js';
import type { JobTypeState } from '../model/job-type.js';
import { USUAL_BATCHES_FIT } from '../model/job-type.js';
import { isFull } from '../model/queue-verdict.js';
import type { QueueState, Snapshot } from '../model/snapshot.js';
import { plainName, queueName } from '../model/words.js';
import type { WorkerState } from '../model/worker.js';

/** More slots than this for the sake of a batch is a guess that costs memory. */
const MAX_SLOTS = 500;

/** Up to here jobs that sleep for exactly as long, and began in step, would look the same (batch-wait.ts). */
const DOUBTFUL = 0.7;

interface BatchAdvice {
  readonly slotsPerWorker: number;
  /** "4 slots can't fill a batch of 20, so it waits 10 s": the cause, without a full stop. */
  readonly why: string;
  /** "set its concurrency to 50": what to do, without a full stop. */
  readonly target: string;
  /** How that is known, and what is not. */
  readonly detail: string;
  /** null: there is no worker that takes orders, or it has as many slots already. */
  readonly remedy: Remedy | null;
  /** Nothing else would look the same. */
  readonly isSure: boolean;
}

/** What to set so that the batches of a type fill, and why. null where batches wait for jobs to come and not for slots. */
export function batchAdvice(queue: QueueState, type: JobTypeState, snapshot: Snapshot): BatchAdvice | null {
  const wait = type.batchWait;
  // Where it is not, few jobs come: then batches wait for more of them, whatever the slots.
  if (!wait?.isStarved) return null;
  const workers = ableWorkers(queue.id, snapshot);
  const processes = new Set(workers.map(({ agent }) => agent?.agentId)).size;
  const slots = workers.reduce((sum, { agent }) => sum + (agent?.concurrency.now ?? 0), 0);
  const perProcess = Math.min(
    MAX_SLOTS,
    wait.batchSize === null
      ? slotsToFind(wait.batchSizeAtLeast)
      : slotsToFill(wait.batchSize, shareInFlight(queue, type)),
  );
  const slotsPerWorker = Math.ceil((perProcess * Math.max(1, processes)) / Math.max(1, workers.length));
  const wall = briefDuration(wait.flushTimeoutMs / 1000);
  const seen = wait.batchSizeAtLeast - 1;
  const isSure = wait.confidence > DOUBTFUL;
  const batch = wait.batchSize === null ? 'a batch' : `a batch of ${briefCount(wait.batchSize)}`;
  const short =
    processes === 0
      ? `too few run to fill ${batch}`
      : `${briefThings(Math.round(slots / processes), 'slot')} can't fill ${batch}`;
  const unknown =
    wait.batchSize === null
      ? ` How many fill a batch is not known${seen > 1 ? `, but more than ${formatCount(seen)}` : ''}.`
      : '';
  const doubt = isSure ? '' : ' Or every run takes exactly as long: look at one before you scale.';
  return {
    slotsPerWorker,
    isSure,
    why: `${short}, so it ${isSure ? '' : 'probably '}waits ${wall}`,
    target: `set its concurrency to ${wait.batchSize === null ? 'at least ' : ''}${briefCount(slotsPerWorker)}`,
    detail: `Each run takes ${wall} because its client gathers requests, not because the work is slow.${unknown}${doubt}`,
    remedy:
      workers.length === 0 || slotsPerWorker * workers.length <= slots
        ? null
        : remedyFor({ queue, type, snapshot, workers, slotsPerWorker }),
  };
}

/** The cause where no finding of its own is made: "track of analytics: 4 slots can't fill a batch of 20, …". */
export function batchCause(queue: QueueState, type: JobTypeState, { why }: BatchAdvice): string {
  return `${plainName(type.name)} of ${queueName(queue)}: ${why}.`;
}

function ableWorkers(queueId: string, snapshot: Snapshot): readonly WorkerState[] {
  return snapshot.workers.filter(
    (worker) =>
      worker.queueId === queueId &&
      worker.agent !== null &&
      worker.isConnected !== false &&
      !worker.agent.isClosing,
  );
}

function shareInFlight(queue: QueueState, type: JobTypeState): number {
  const share = queue.counts.active > 0 && type.active ? type.active.value / queue.counts.active : 1;
  return Math.min(1, Math.max(0.1, share));
}

/**
 * Slots of a process in which usual batches fill, whose size is not known: doubled each time that so many were in flight
 * and did not fill one. What share of the slots the type has does not count: the number has room for that, and an estimate
 * of it would move the advice from look to look.
 */
function slotsToFind(atLeast: number): number {
  const doublings = Math.max(0, Math.ceil(Math.log2((2 * atLeast) / USUAL_BATCHES_FIT)));
  return USUAL_BATCHES_FIT * 2 ** doublings;
}

/** Shares of the slots, each with the least that still counts as it: in steps, so that noise does not move the advice. */
const SHARE_STEPS = [
  { from: 0.9, slotsPerRun: 1 },
  { from: 0.5, slotsPerRun: 2 },
  { from: 0.25, slotsPerRun: 4 },
  { from: 0, slotsPerRun: 10 },
] as const;

/** Slots of a process so that as many of the type are in flight as a batch takes; other types hold the rest. */
function slotsToFill(batchSize: number, share: number): number {
  return batchSize * (SHARE_STEPS.find(({ from }) => share >= from)?.slotsPerRun ?? 1);
}

function remedyFor(input: {
  readonly queue: QueueState;
  readonly type: JobTypeState;
  readonly snapshot: Snapshot;
  readonly workers: readonly WorkerState[];
  readonly slotsPerWorker: number;
}): Remedy {
  const { queue, type, snapshot, workers, slotsPerWorker } = input;
  const after = slotsPerWorker * workers.length;
  const known = type.batchWait?.batchSize ?? null;
  const basis = planBasisOf(snapshot, queue.id);
  // While Redis is full the planner says what goes on, and not of what the slots do once there is room.
  const plan = basis && !isFull(snapshot) ? predict(basis.input, { concurrency: after }) : null;
  const gain = plan
    ? `: ${briefRate(plan.throughputPerSecond)} instead of ${briefRate(queue.rates?.departuresPerSecond ?? 0)}, ${drainedIn(plan)}`
    : '';
  const fill =
    known === null ? 'Usual batches (15 to 20) fill' : `Batches of ${formatCount(known)} fill${gain}`;
  return {
    action: 'workers.concurrency',
    label: `Set concurrency to ${formatCount(slotsPerWorker)}`,
    effect: `${fill}.`,
    queues: [queue.id],
    args: { value: slotsPerWorker },
    // Its aim: what waits drains, and before Redis meets its limit.
    suffices:
      plan && plan.notKnown === null ? plan.drainSeconds !== null && plan.fullInSeconds === null : null,
  };
}

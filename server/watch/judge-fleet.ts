import { formatDuration, formatRatio } from '../model/format.js';
import { isSettling } from '../model/sight.js';
import type { Snapshot } from '../model/snapshot.js';
import { median } from '../model/theil-sen.js';
import type { Outlier, SeenWorker, WorkerState, WorkerType, WorkerVerdict } from '../model/worker.js';
import { judgeWorker } from './judge-worker.js';
import type { Judged } from './worker-evidence.js';

/** Runs that a worker and each of its peers must have finished before they are held against each other. */
const MIN_RUNS = 20;
const MIN_PEERS = 2;
const SLOWER = 3;
const MIN_SLOWER_MS = 50;
const FAILING_MORE = 0.3;
const FAILING_TIMES = 3;
const MOSTLY_FAILING = 0.4;
/** What is counted of a worker reaches back so far (two generations of worker-types.ts), or to its start. */
const COUNTED_MS = 4 * 60_000;
/** Workers of one deployment start so close to each other. */
const SAME_START_MS = 5_000;

/**
 * The one that drags the rest (incidents.md, 2): by queue and job type, a worker whose median run time is three times the
 * median of its peers' medians, or that fails far more. Medians of medians, so that one bad peer moves nothing. Pure.
 * @returns by worker id, the worst of each.
 */
export function findOutliers(workers: readonly SeenWorker[]): ReadonlyMap<string, Outlier> {
  const found = new Map<string, Outlier>();
  for (const [type, rows] of byQueueAndType(workers)) {
    if (rows.length <= MIN_PEERS) continue;
    for (const row of rows) {
      const peers = rows.filter((other) => other !== row);
      const outlier = slowOf(type, row, peers) ?? failingOf(type, row, peers);
      if (outlier && !found.has(row.worker.id)) found.set(row.worker.id, outlier);
    }
  }
  return found;
}

interface Row {
  readonly worker: SeenWorker;
  readonly seen: WorkerType;
}

/** What they are like now where all have run enough lately; else over the longer window. */
function medians(row: Row, peers: readonly Row[]): { readonly own: number; readonly usual: number } {
  const isRecent = [row, ...peers].every(({ seen }) => (seen.recent?.count ?? 0) >= MIN_RUNS);
  const read = ({ seen }: Row): number => (isRecent ? seen.recent : seen.run)?.p50Ms ?? 0;
  return { own: read(row), usual: median(peers.map(read)) };
}

function byQueueAndType(workers: readonly SeenWorker[]): readonly (readonly [string, readonly Row[]])[] {
  const rows = new Map<string, { type: string; rows: Row[] }>();
  for (const worker of workers) {
    for (const seen of worker.agent?.types ?? []) {
      if ((seen.run?.count ?? 0) < MIN_RUNS) continue;
      const key = JSON.stringify([worker.queueId, seen.name]);
      const entry = rows.get(key) ?? { type: seen.name, rows: [] };
      entry.rows.push({ worker, seen });
      rows.set(key, entry);
    }
  }
  return [...rows.values()].map((entry) => [entry.type, entry.rows]);
}

function slowOf(type: string, row: Row, all: readonly Row[]): Outlier | null {
  const { worker } = row;
  const peers = all.filter(isMostlyWork);
  if (peers.length < MIN_PEERS || !isMostlyWork(row)) return null;
  const { own, usual } = medians(row, peers);
  if (own < SLOWER * usual || own - usual < MIN_SLOWER_MS) return null;
  const times = usual > 0 ? `${(own / usual).toFixed(own / usual < 10 ? 1 : 0)} times` : 'far more than';
  return {
    kind: 'slow',
    type,
    own,
    peers: usual,
    sentence: `${worker.label} takes ${formatDuration(own / 1000)} for ${type}, ${times} the ${formatDuration(usual / 1000)} of its ${peers.length} peers.`,
  };
}

/** The median run of who mostly fails is a failed one, which may end at once: no measure of how long the work takes. */
function isMostlyWork({ seen }: Row): boolean {
  return failureRatio(seen) < MOSTLY_FAILING;
}

function failingOf(type: string, row: Row, all: readonly Row[]): Outlier | null {
  const { worker, seen } = row;
  const peers = all.filter((peer) => hasLivedThrough(row, peer));
  if (peers.length < MIN_PEERS) return null;
  const own = failureRatio(seen);
  const usual = median(peers.map((peer) => failureRatio(peer.seen)));
  if (seen.completed + seen.failed < MIN_RUNS) return null;
  if (own - usual < FAILING_MORE || own < FAILING_TIMES * usual) return null;
  return {
    kind: 'failing',
    type,
    own,
    peers: usual,
    sentence: `${worker.label} fails ${formatRatio(own)} of its ${type} jobs, its ${peers.length} peers ${formatRatio(usual)}.`,
  };
}

/** A peer that came after a trouble which failed everybody's jobs says nothing about who was there. */
function hasLivedThrough({ worker }: Row, { worker: { agent } }: Row): boolean {
  if (agent === null || worker.agent === null) return true;
  const isYoung = agent.lastBeatAtMs - agent.attachedAtMs < COUNTED_MS;
  return !isYoung || agent.attachedAtMs <= worker.agent.attachedAtMs + SAME_START_MS;
}

function failureRatio({ completed, failed }: WorkerType): number {
  return completed + failed === 0 ? 0 : failed / (completed + failed);
}

/** A verdict that is measured ends only once it was not found for so long. */
export const WORKER_HOLD_MS = 10_000;

/**
 * These hang on rates and on how many slots are busy at a moment, and noise moves a worker from one to the other and back.
 * All others are facts (a pause, a missing heartbeat, jobs that hang) and hold at once.
 */
const MEASURED: ReadonlySet<WorkerVerdict> = new Set(['healthy', 'overloaded', 'capped', 'rate-limited']);

type Held = Judged & Pick<WorkerState, 'verdictSinceMs' | 'otherSinceMs'>;

/**
 * Keeps a worker's verdict from flapping between neighbours. Pure.
 * @param last how it was judged last; undefined: it is new.
 * @param found what the ladder says now.
 * @param isPressed can a measured trouble go on? Not where nothing waits, nor right after somebody acted on it.
 */
function holdWorkerVerdict(
  last: WorkerState | undefined,
  found: Judged,
  worker: SeenWorker,
  isPressed: boolean,
  nowMs: number,
): Held {
  if (!last) return { ...found, verdictSinceMs: nowMs, otherSinceMs: null };
  if (found.verdict === last.verdict)
    return { ...found, verdictSinceMs: last.verdictSinceMs, otherSinceMs: null };
  const otherSinceMs = last.otherSinceMs ?? nowMs;
  if (isPressed && nowMs - otherSinceMs < WORKER_HOLD_MS && isHeld(last, found, worker)) {
    const { verdict, sentence, evidence, verdictSinceMs } = last;
    return { verdict, sentence, evidence, verdictSinceMs, otherSinceMs };
  }
  return { ...found, verdictSinceMs: nowMs, otherSinceMs: null };
}

function isHeld(last: WorkerState, found: Judged, { agent }: SeenWorker): boolean {
  if (!MEASURED.has(found.verdict)) return false;
  // Others may empty the queue for a moment: that it takes nothing is over once it has taken something.
  if (last.verdict === 'silent')
    return agent !== null && agent.running === 0 && (agent.lastStartedAtMs ?? 0) < last.verdictSinceMs;
  // All its slots were busy, and none is: that is no noise.
  if (last.verdict === 'overloaded' && agent?.running === 0) return false;
  return last.verdict !== 'healthy' && MEASURED.has(last.verdict);
}

/** A worker that drags the rest does so until that was not found for a while. */
function holdOutlier(
  last: WorkerState | undefined,
  found: Outlier | null,
  nowMs: number,
): Pick<WorkerState, 'outlier' | 'outlierSeenAtMs'> {
  if (found) return { outlier: found, outlierSeenAtMs: nowMs };
  const seenAtMs = last?.outlierSeenAtMs ?? null;
  return seenAtMs !== null && nowMs - seenAtMs < WORKER_HOLD_MS
    ? { outlier: last?.outlier ?? null, outlierSeenAtMs: seenAtMs }
    : { outlier: null, outlierSeenAtMs: null };
}

/**
 * Every worker of an instance with its verdict, in the order of `seen`. Pure.
 * @param before the same workers as they were judged last, for what has lasted since.
 */
export function judgeFleet(
  seen: readonly SeenWorker[],
  snapshot: Pick<Snapshot, 'queues' | 'nodes' | 'hearing' | 'link' | 'actedAtMs'>,
  nowMs: number,
  before: readonly WorkerState[] = [],
): readonly WorkerState[] {
  if (seen.length === 0) return [];
  const queues = new Map(snapshot.queues.map((queue) => [queue.id, queue]));
  const former = new Map(before.map((worker) => [worker.id, worker]));
  const outliers = findOutliers(seen);
  return seen.map((worker) => {
    const queue = queues.get(worker.queueId) ?? null;
    const judged = judgeWorker(worker, { queue, snapshot, nowMs });
    const last = former.get(worker.id);
    const isPressed = (queue?.backlog ?? 0) > 0 && !isSettling(snapshot, nowMs);
    return {
      ...worker,
      ...holdWorkerVerdict(last, judged, worker, isPressed || last?.verdict === 'silent', nowMs),
      ...holdOutlier(last, outliers.get(worker.id) ?? null, nowMs),
    };
  });
}

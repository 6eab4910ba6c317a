import type { PlanInput } from '../model/plan.js';
import type { QueueState, RedisNode, Snapshot } from '../model/snapshot.js';

/** So much of all that has ever ended is still there: nothing is removed. Less: as much is removed as comes. */
const ALL_KEPT_RATIO = 0.9;
/** Growth that queues don't explain counts once it is so much of the whole. */
const UNEXPLAINED_RATIO = 0.5;

/** Bytes that a waiting job of a type holds, mean; of all types where that one was not sampled, 0 where none was. */
export function bytesWaiting({ memory, unfinished, types }: QueueState, type: string | null): number {
  const sampled = memory?.types.find((one) => one.type === type);
  const own = sampled ? quotient(sampled.backlogBytes, sampled.unfinished) : 0;
  const shown = types.find(({ name }) => name === type)?.bytesPerJob;
  return own || finite(shown) || quotient(memory?.backlogBytes, unfinished);
}

/** Bytes that stay of a job that is done, mean; 0 where retention has settled, as then one goes for each that comes. */
export function keptBytes(
  { memory, counts, addedTotal, unfinished }: QueueState,
  type: string | null,
): number {
  const done = finite(counts.completed) + finite(counts.failed);
  const everDone = Math.max(done, finite(addedTotal) - finite(unfinished));
  if (!memory || done === 0 || everDone === 0) return 0;
  const keptRatio = done / everDone;
  if (counts.completed > 0 && keptRatio < ALL_KEPT_RATIO) return 0;
  const sampled = memory.types.find((one) => one.type === type);
  const mean = quotient(finite(memory.completedBytes) + finite(memory.failedBytes), done);
  // Of a type it is known what is kept, not of how many: its own size bounds the mean.
  return keptRatio * Math.min(mean, finite(sampled?.bytesPerJob) || mean);
}

/** Redis's memory as a plan needs it; null where it is not one process that is known. */
export function planMemory(snapshot: Snapshot, queue: QueueState): PlanInput['memory'] {
  const [node, ...others] = snapshot.nodes;
  if (!node || others.length > 0) return null;
  const limitBytes = limitOf(node);
  const countedBytes = finite(node.countedBytes);
  return {
    countedBytes: node.isFull && limitBytes !== null ? Math.max(countedBytes, limitBytes) : countedBytes,
    limitBytes,
    otherGrowthBytesPerSecond: otherGrowth(node, snapshot, queue),
  };
}

/** A Redis that evicts does not refuse, so nothing of a queue's flow ends there. */
function limitOf(node: RedisNode): number | null {
  if (!node.limit || !(finite(node.limit.bytes) > 0)) return null;
  const isEvicting = node.limit.source === 'maxmemory' && node.policy !== 'noeviction';
  return isEvicting ? null : node.limit.bytes;
}

/** Growth of the other queues' backlogs, and of what is no queue's where that is most of the growth there is. */
function otherGrowth(node: RedisNode, snapshot: Snapshot, queue: QueueState): number {
  const growthOf = (one: QueueState): number => {
    const perSecond = one.rates?.growthPerSecond ?? 0;
    return (Number.isFinite(perSecond) ? perSecond : 0) * bytesWaiting(one, null);
  };
  const others = snapshot.queues.reduce((sum, one) => (one.id === queue.id ? sum : sum + growthOf(one)), 0);
  const all = finite(node.forecast?.growthBytesPerSecond);
  const unexplained = all - others - growthOf(queue);
  return others + (all > 0 && unexplained > UNEXPLAINED_RATIO * all ? unexplained : 0);
}

function quotient(bytes: number | undefined, jobs: number): number {
  return finite(jobs) > 0 ? finite(bytes) / jobs : 0;
}

function finite(value: number | null | undefined): number {
  return value != null && Number.isFinite(value) && value > 0 ? value : 0;
}

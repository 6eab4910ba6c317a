import { isSameCall, thatSuffice } from '../findings/enough.js';
import { roomRemedies } from '../findings/make-room.js';
import { LAST_SECONDS, needOf } from '../findings/need.js';
import { lastsSeconds, NO_RELIEF } from '../findings/relief.js';
import { canReach } from '../findings/within-reach.js';
import type { ActionRequest, Aim } from '../model/action.js';
import { briefDuration } from '../model/brief.js';
import type { Remedy } from '../model/finding.js';
import { DEFAULT_THRESHOLDS } from '../model/finding.js';
import { formatBytes } from '../model/format.js';
import type { RedisNode, Snapshot } from '../model/snapshot.js';
import type { RedisLink } from '../redis/link.js';
import { type MemoryLimits, readNodeMemory } from '../redis/relief.js';
import type { Watch } from '../watch/watch.js';

const MAKING_ROOM: ReadonlySet<string> = new Set([
  'queue.trim-events',
  'queue.clean-finished',
  'queue.park',
  'redis.raise-maxmemory',
  'sequence',
]);

/** Is it done so that Redis has room? */
export function makesRoom(action: string): boolean {
  return MAKING_ROOM.has(action);
}

/** Did it also take the cause away, so that the growth of before says nothing of what comes? */
function endsGrowth(args: unknown): boolean {
  const { steps } = { ...(args as { readonly steps?: readonly { readonly action: string }[] } | null) };
  return (steps ?? []).some(({ action }) => !makesRoom(action));
}

/** The master that needs room most; null: none does. */
export function nodeInNeed(snapshot: Snapshot): RedisNode | null {
  const needy = snapshot.nodes.filter(
    ({ isFull, usedRatio }) => isFull || (usedRatio ?? 0) >= DEFAULT_THRESHOLDS.memoryWarnRatio,
  );
  return needy.reduce<RedisNode | null>(
    (most, node) => (most === null || (node.usedRatio ?? 0) > (most.usedRatio ?? 0) ? node : most),
    null,
  );
}

/**
 * Was what was just done enough, and what is next? Asked of Redis itself, as the Snapshot may be of before.
 * @returns null: Redis can't be asked now.
 */
export async function aimAfter(
  deps: { readonly watch: Watch; readonly now: () => number },
  done: { readonly request: ActionRequest; readonly node: RedisNode; readonly link: RedisLink },
): Promise<Aim | null> {
  const master = done.link.actionMasters().find(({ id }) => id === done.node.id);
  const memory = master ? await readNodeMemory(master).catch(() => null) : null;
  const snapshot = deps.watch.snapshot(done.request.instance);
  if (!memory || !snapshot) return null;
  const after = nodeAfter(done.node, memory);
  const cause = deps.watch
    .findings()
    .find(({ instance, node }) => instance === done.request.instance && node === after.id)?.next;
  return aimOf(after, snapshot, done.request, deps.now(), cause ?? null);
}

function nodeAfter(node: RedisNode, { maxBytes, usedBytes }: MemoryLimits): RedisNode {
  const limit = maxBytes > 0 ? { bytes: maxBytes, source: 'maxmemory' as const } : node.limit;
  return {
    ...node,
    ...{ maxBytes, limit, countedBytes: usedBytes },
    usedRatio: limit ? usedBytes / limit.bytes : null,
    isFull: node.policy === 'noeviction' && maxBytes > 0 && usedBytes >= maxBytes,
  };
}

/**
 * @param node as it is now.
 * @param cause what takes the cause away: it comes after room.
 */
function aimOf(
  node: RedisNode,
  snapshot: Snapshot,
  request: Pick<ActionRequest, 'action' | 'args'>,
  nowMs: number,
  cause: Remedy | null,
): Aim | null {
  const need = needOf(node);
  if (!need) return null;
  const isEnding = endsGrowth(request.args);
  const seconds = isEnding ? null : lastsSeconds(NO_RELIEF, node, need);
  const free = formatBytes(Math.max(0, (node.limit?.bytes ?? 0) - node.countedBytes));
  const lasts = seconds === null ? '' : `, for about ${briefDuration(seconds)} at this growth`;
  const isOpen = need.nowBytes === 0;
  const isReached =
    !isOpen || (seconds !== null && seconds < LAST_SECONDS)
      ? false
      : isEnding || need.growthBytesPerSecond === null
        ? null
        : true;
  return {
    isReached,
    summary: !isOpen
      ? `Redis is still full: ${formatBytes(need.nowBytes)} more have to go.`
      : `Writes are accepted: ${free} are free${lasts}.`,
    next: isReached === false ? nextOf(node, snapshot, request, nowMs) : isEnding ? null : cause,
  };
}

function nextOf(
  node: RedisNode,
  snapshot: Snapshot,
  { action, args }: Pick<ActionRequest, 'action' | 'args'>,
  nowMs: number,
): Remedy | null {
  const permitted = roomRemedies(snapshot, node).filter((remedy) => canReach(remedy, snapshot));
  const offered = thatSuffice(permitted, node, snapshot, nowMs);
  // What it would bring is estimated from samples, which may be of before it was done.
  return offered.find((remedy) => !isSameCall(remedy, { action, args })) ?? null;
}

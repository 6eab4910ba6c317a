import type { CurrentFinding, Remedy } from '../model/finding.js';
import { fullestNode } from '../model/queue-verdict.js';
import type { CapabilityName } from '../model/sight.js';
import type { RedisNode, Snapshot } from '../model/snapshot.js';

/** What makes room must last until a person can do the next thing. */
const LASTS_SECONDS = 60;
/** Of what is needed for that, a remedy brings at least this part: less is nothing beside it, however often it is done. */
const LEAST_PART = 0.1;
/** While Redis refuses writes its growth can't be seen: less than this share of the limit is full again at once. */
const LEAST_OF_LIMIT = 0.01;

const NEED_ROOM: ReadonlySet<string> = new Set(['redis.full', 'redis.filling']);

/**
 * Takes away remedies that would free nothing to speak of beside the need: what is over the limit, and what comes in the next
 * minute. Seen with a Redis of 48 MB that one type filled: the first remedies freed 0.4 MB, and four of them changed nothing.
 * Where nothing else makes room they stay: little is more than nothing. Pure.
 */
export function enoughRoom(finding: CurrentFinding, snapshot: Snapshot): CurrentFinding {
  if (!NEED_ROOM.has(finding.code)) return finding;
  const node = snapshot.nodes.find(({ id }) => id === finding.node) ?? null;
  const remedies = thatSuffice(finding.remedies, node);
  return remedies.length === finding.remedies.length ? finding : { ...finding, remedies };
}

/** The same for what is to be done first before an action that a full Redis would answer with errors. */
export function thatSuffice(remedies: readonly Remedy[], node: RedisNode | null): readonly Remedy[] {
  if (node === null) return remedies;
  const leastBytes = leastReliefBytes(node);
  const isTooLittle = ({ predictedFreedBytes }: Remedy): boolean =>
    predictedFreedBytes !== undefined && predictedFreedBytes < leastBytes;
  const enough = remedies.filter((remedy) => !isTooLittle(remedy));
  return enough.some(makesRoom) ? enough : remedies;
}

function makesRoom({ action, predictedFreedBytes }: Remedy): boolean {
  return action === 'redis.raise-maxmemory' || predictedFreedBytes !== undefined;
}

function leastReliefBytes({ limit, countedBytes, forecast }: RedisNode): number {
  const limitBytes = limit?.bytes ?? 0;
  const overBytes = Math.max(0, countedBytes - limitBytes);
  const comingBytes = Math.max(0, forecast?.growthBytesPerSecond ?? 0) * LASTS_SECONDS;
  return Math.max(limitBytes * LEAST_OF_LIMIT, (overBytes + comingBytes) * LEAST_PART);
}

/** The node that has to get room; null: none is full. */
export function nodeInNeed(snapshot: Snapshot): RedisNode | null {
  const node = fullestNode(snapshot);
  return node?.isFull ? node : null;
}

/** What an action needs to be permitted, and what to say where it is not. */
const NEEDS: readonly {
  readonly actions: string;
  readonly capabilities: readonly CapabilityName[];
  readonly otherwise: string;
}[] = [
  {
    actions: 'redis.',
    capabilities: ['canSetConfig'],
    otherwise:
      'This Redis does not permit CONFIG SET to the console, so raise maxmemory where Redis is managed.',
  },
  {
    actions: 'worker',
    capabilities: ['canWrite', 'canRunScripts'],
    otherwise:
      "The console's Redis user may not write, so it can only show: give it write permission to act from here.",
  },
  {
    actions: 'queue.',
    capabilities: ['canWrite', 'canRunScripts'],
    otherwise:
      "The console's Redis user may not write, so it can only show: give it write permission to act from here.",
  },
];

/** These change what the console remembers, and nothing in Redis. */
const OWN_MEMORY: ReadonlySet<string> = new Set(['worker.dismiss', 'redis.dismiss-loss']);

/**
 * Takes away remedies that this Redis would refuse to the console, and says what is left: a button that can't work at
 * 3 a.m. is worse than none. Unknown capabilities (not connected yet) take nothing away; the action itself checks again.
 */
export function withinReach(finding: CurrentFinding, snapshot: Snapshot): CurrentFinding {
  if (finding.remedies.length === 0) return finding;
  const notes = new Set<string>();
  const remedies = finding.remedies.filter((remedy) => {
    const obstacle = obstacleTo(remedy, snapshot);
    if (obstacle !== null) notes.add(obstacle);
    return obstacle === null;
  });
  if (notes.size === 0) return finding;
  return { ...finding, remedies, sentence: [finding.sentence, ...notes].join(' ') };
}

function obstacleTo(remedy: Remedy, snapshot: Snapshot): string | null {
  if (OWN_MEMORY.has(remedy.action)) return null;
  if (snapshot.nodes.length > 0 && snapshot.nodes.every((node) => node.isReadOnly)) {
    return 'Actions do not work through a read-only replica: connect the console to the master.';
  }
  const { capabilities } = snapshot;
  if (!capabilities) return null;
  for (const need of NEEDS) {
    if (!remedy.action.startsWith(need.actions)) continue;
    if (need.capabilities.some((name) => !capabilities[name])) return need.otherwise;
  }
  return null;
}

import type { CurrentFinding } from './finding.js';
import type { QueueState, Snapshot, Unread, UnreadQueue } from './snapshot.js';

/** What is to be said and done about what is not known while the rest is: it is in no sum, and it ends nothing. */

/** Was a queue in sums before that is not known now? One that could never be read is missed by no sum. */
export function lacksQueues({ queues }: Unread): boolean {
  return queues.some(({ last }) => last !== null);
}

/** Is anything not known that was, so that sums are not? */
export function isPartlyUnread({ unread }: Snapshot): boolean {
  return lacksQueues(unread) || unread.nodes.length > 0;
}

/** null: it is known, or it is not there. */
export function unreadQueue({ unread }: Snapshot, id: string): UnreadQueue | null {
  return unread.queues.find((queue) => queue.id === id) ?? null;
}

/** The queue as it is, or as it was last seen where it is not known now; null: neither. */
export function queueOrLast(snapshot: Snapshot, id: string): QueueState | null {
  return snapshot.queues.find((queue) => queue.id === id) ?? unreadQueue(snapshot, id)?.last ?? null;
}

/** Tells of a subject whether it belongs to what is not known. */
export function unreadSubjects({
  queues,
  nodes,
}: Unread): (subject: { readonly queue: string | null; readonly node: string | null }) => boolean {
  if (queues.length === 0 && nodes.length === 0) return () => false;
  const ids = new Set(queues.map(({ id }) => id));
  const addresses = new Set(nodes.map(({ last }) => last.address));
  return ({ queue, node }) => (queue !== null && ids.has(queue)) || (node !== null && addresses.has(node));
}

/**
 * Of what was found before, what can't be judged now as it is about queues or masters that are not known, each with the
 * time at which those were last read. It is neither so now nor over.
 * @param before as they were found, without marks of being last seen.
 * @param found now.
 */
export function findingsUnread(
  before: readonly CurrentFinding[],
  found: readonly CurrentFinding[],
  { queues, nodes }: Unread,
): readonly { readonly finding: CurrentFinding; readonly readAtMs: number }[] {
  if (queues.length === 0 && nodes.length === 0) return [];
  const readAt = new Map<string, number>([
    ...queues.map(({ id, sinceMs }) => [`queue ${id}`, sinceMs] as const),
    ...nodes.map(({ last }) => [`node ${last.id}`, last.readAtMs] as const),
  ]);
  const isFound = new Set(found.map(({ key }) => key));
  return before.flatMap((finding) => {
    if (isFound.has(finding.key)) return [];
    const about = [finding.queue, ...(finding.queues ?? [])].map((queue) => `queue ${queue}`);
    const times = [...about, `node ${finding.node}`].flatMap((key) => readAt.get(key) ?? []);
    return times.length > 0 ? [{ finding, readAtMs: Math.min(...times) }] : [];
  });
}

import { briefRatio } from '../model/brief.js';
import { type Evidence, fact } from '../model/evidence.js';
import type { FindingSubject, Remedy, Severity, Thresholds } from '../model/finding.js';
import { formatBytes, formatRatio } from '../model/format.js';
import type { Bytes } from '../model/memory.js';
import { heldBytesOf, largestTypeOf } from '../model/memory-shares.js';
import type { RedisNode, Snapshot } from '../model/snapshot.js';
import { capitalized, plainName } from '../model/words.js';
import { batchAdvice, batchCause } from './batch-advice.js';
import { largestHolder } from './make-room.js';

/** A type below this share of what Redis holds is not why it fills. */
const LEAST_SHARE = 0.2;

interface MainHolder {
  /** What holds most, or why it does not go away where that is known: the cause, in one sentence. */
  readonly cause: string;
  /** What would make it go away, in the words of an action ("set its concurrency to 50"); null: not known. */
  readonly target: string | null;
  /** The rest of it, for the details. */
  readonly detail: string;
  readonly evidence: readonly Evidence[];
  /** What would make it go away, where that is known: more slots for a client that batches. */
  readonly remedy: Remedy | null;
  /** Is that known to be the cause, rather than probably? */
  readonly isSure: boolean;
  /** The queue and type that the cause names. */
  readonly accountsFor: readonly FindingSubject[];
}

/** What holds most of a Redis, in words: the finding about a full Redis is to name the cause, not only the effect. null: nothing measured. */
export function mainHolder(snapshot: Snapshot): MainHolder | null {
  const holder = largestHolder(snapshot);
  if (!holder) return null;
  const held = heldBytesOf(snapshot.nodes);
  const share = held > 0 ? `, ${formatRatio(Math.min(1, holder.bytes / held))} of its memory` : '';
  const evidence: Evidence[] = [fact('largest-holder', 'top consumer', holder.what)];
  const largest = largestTypeOf(snapshot);
  const most = `${capitalized(holder.what)} take ${formatBytes(holder.bytes)}${share}.`;
  const plain = { cause: most, target: null, detail: '', evidence, remedy: null, isSure: false };
  if (!largest || (largest.shareRatio ?? 0) < LEAST_SHARE) return { ...plain, accountsFor: [] };
  // Many small types, or another kind of data, of another queue may hold more together: then that is named.
  const accountsFor =
    largest.queue.id === holder.queueId ? [{ queue: largest.queue.id, jobType: largest.type.type }] : [];
  const type = largest.queue.types.find(({ name }) => name === largest.type.type);
  if (!type) return { ...plain, accountsFor };
  evidence.push(fact('largest-type', 'top job type', plainName(type.name)));
  evidence.push(fact('type-share', 'its share', Math.min(1, largest.shareRatio ?? 0), 'ratio'));
  const advice = batchAdvice(largest.queue, type, snapshot);
  if (!advice || !type.batchWait) return { ...plain, accountsFor };
  evidence.push(fact('batch-wait', 'batch wait', type.batchWait.flushTimeoutMs / 1000, 'seconds'));
  evidence.push(fact('suggested-concurrency', 'suggested concurrency', advice.slotsPerWorker, 'count'));
  return {
    cause: batchCause(largest.queue, type, advice),
    target: advice.target,
    detail: `${most} ${advice.detail}`,
    evidence,
    remedy: advice.remedy,
    isSure: advice.isSure,
    // Named by that cause, whatever holds most.
    accountsFor: [{ queue: largest.queue.id, jobType: type.name }],
  };
}

/** From this share of the limit on, where the memory is matters even while Redis is not filling. */
const MATTERS_RATIO = 0.6;
/** A share of the limit that is a warning by itself. */
const LARGE_SHARE = 0.25;

/** What is surely held: the low end of an estimate. A finding must not come and go with the samples. */
export function surelyHeld({ bytes, errorBytes }: Bytes): number {
  return Math.max(0, bytes - errorBytes);
}

/** An estimate as evidence, with its ±. */
export function estimateEvidence(name: string, label: string, { bytes, errorBytes }: Bytes): Evidence {
  return { name, label, value: bytes, unit: 'bytes', ...(errorBytes > 0 ? { error: errorBytes } : {}) };
}

/** Share of what Redis holds against its limit, as evidence; nothing where that is not known. */
export function shareEvidence({ bytes }: Bytes, snapshot: Snapshot): readonly Evidence[] {
  const held = heldBytesOf(snapshot.nodes);
  return held >= 1 ? [fact('redis-share', 'of used memory', bytes / held, 'ratio')] : [];
}

/** "412 MB, 62% of used memory" */
export function shareOfMemoryInWords({ bytes }: Bytes, snapshot: Snapshot): string {
  const all = heldBytesOf(snapshot.nodes);
  return all >= 1 ? `${formatBytes(bytes)}, ${briefRatio(bytes / all)} of used memory` : formatBytes(bytes);
}

/** Is memory near enough to its limit that its holder is to be named? */
export function isMemoryPressed(snapshot: Snapshot): boolean {
  return snapshot.nodes.some((node) => (node.usedRatio ?? 0) >= MATTERS_RATIO || isGrowingToFull(node));
}

function isGrowingToFull({ forecast }: RedisNode): boolean {
  return forecast !== null && (forecast.fullInSeconds !== null || forecast.notKnown !== null);
}

/** A warning where it holds a quarter of the limit, or where Redis is close to it; else worth knowing. */
export function memorySeverity({ bytes }: Bytes, snapshot: Snapshot, thresholds: Thresholds): Severity {
  const limitBytes = snapshot.nodes.reduce((sum, node) => sum + (node.limit?.bytes ?? 0), 0);
  const isTight = snapshot.nodes.some((node) => (node.usedRatio ?? 0) >= thresholds.memoryWarnRatio);
  return isTight || (limitBytes > 0 && bytes >= limitBytes * LARGE_SHARE) ? 'warning' : 'info';
}

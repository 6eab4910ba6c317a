import type { Evidence, Remedy, Subject } from '../model/finding.js';
import { formatRatio } from '../model/format.js';
import { heldBytesOf, largestTypeOf } from '../model/memory-shares.js';
import type { Snapshot } from '../model/snapshot.js';
import { plainName } from '../model/words.js';
import { batchAdvice, batchSentence } from './batch-advice.js';
import { largestHolder } from './make-room.js';

/** A type below this share of what Redis holds is not why it fills. */
const LEAST_SHARE = 0.2;

export interface MainHolder {
  /** One or two sentences: what holds most, and why it does not go away, where that is known. */
  readonly sentence: string;
  readonly evidence: readonly Evidence[];
  /** What would make it go away, where that is known: more slots for a client that batches. */
  readonly remedy: Remedy | null;
  /** The queue and type that the sentence names. */
  readonly accountsFor: readonly Subject[];
}

/** What holds most of a Redis, in words: the finding about a full Redis is to name the cause, not only the effect. null: nothing measured. */
export function mainHolder(snapshot: Snapshot): MainHolder | null {
  const holder = largestHolder(snapshot);
  if (!holder) return null;
  const held = heldBytesOf(snapshot.nodes);
  const share = held > 0 ? ` (${formatRatio(Math.min(1, holder.bytes / held))} of what Redis holds)` : '';
  const evidence: Evidence[] = [{ label: 'largest holder', value: holder.text }];
  const largest = largestTypeOf(snapshot);
  const plain = { sentence: `The largest part: ${holder.text}${share}.`, evidence, remedy: null };
  if (!largest || (largest.shareRatio ?? 0) < LEAST_SHARE) return { ...plain, accountsFor: [] };
  // Many small types, or another kind of data, of another queue may hold more together: then that is named.
  const accountsFor =
    largest.queue.id === holder.queueId ? [{ queue: largest.queue.id, jobType: largest.type.type }] : [];
  const type = largest.queue.types.find(({ name }) => name === largest.type.type);
  if (!type) return { ...plain, accountsFor };
  evidence.push({ label: 'job type that holds most', value: plainName(type.name) });
  evidence.push({ label: 'its share', value: Math.min(1, largest.shareRatio ?? 0), unit: 'ratio' });
  const advice = batchAdvice(largest.queue, type, snapshot);
  if (!advice || !type.batchWait) return { ...plain, accountsFor };
  evidence.push({ label: 'its runs wait for a batch', value: type.batchWait.wallMs / 1000, unit: 'seconds' });
  evidence.push({ label: 'concurrency to set', value: advice.slotsPerWorker, unit: 'count' });
  return {
    sentence: `${plain.sentence} ${batchSentence(largest.queue, type, advice)}`,
    evidence,
    remedy: advice.remedy,
    // Named by that sentence, whatever holds most.
    accountsFor: [{ queue: largest.queue.id, jobType: type.name }],
  };
}

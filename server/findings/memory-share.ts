import type { Evidence, Severity, Thresholds } from '../model/finding.js';
import { formatEstimate, formatRatio } from '../model/format.js';
import type { Bytes } from '../model/memory.js';
import { heldBytesOf } from '../model/memory-shares.js';
import type { RedisNode, Snapshot } from '../model/snapshot.js';

/** From this share of the limit on, where the memory is matters even while Redis is not filling. */
const MATTERS_RATIO = 0.6;
/** A share of the limit that is a warning by itself. */
const LARGE_SHARE = 0.25;

/** What is surely held: the low end of an estimate. A finding must not come and go with the samples. */
export function surelyHeld({ bytes, errorBytes }: Bytes): number {
  return Math.max(0, bytes - errorBytes);
}

/** An estimate as evidence, with its ±. */
export function estimateEvidence(label: string, { bytes, errorBytes }: Bytes): Evidence {
  return { label, value: bytes, unit: 'bytes', ...(errorBytes > 0 ? { error: errorBytes } : {}) };
}

/** Share of what Redis holds against its limit, as evidence; nothing where that is not known. */
export function shareEvidence({ bytes }: Bytes, snapshot: Snapshot): readonly Evidence[] {
  const held = heldBytesOf(snapshot.nodes);
  return held >= 1 ? [{ label: 'share of what Redis holds', value: bytes / held, unit: 'ratio' }] : [];
}

/** "412 MB ± 8.0 MB, 62% of what Redis holds" */
export function heldInWords(held: Bytes, snapshot: Snapshot): string {
  const all = heldBytesOf(snapshot.nodes);
  return all >= 1
    ? `${formatEstimate(held)}, ${formatRatio(held.bytes / all)} of what Redis holds`
    : formatEstimate(held);
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

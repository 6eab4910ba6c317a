import { formatThings } from '../model/format.js';
import type { CurrentFinding, Evidence, Remedy } from './finding.js';
import { compareFindings } from './track.js';

/** From more queues than this on, one trouble that they share is told once. */
export const MOST_ALIKE = 10;
const MOST_NAMED = 100;

/**
 * Tells once what more than ten queues share: 300 queues without workers are one cause, and 300 lines would bury the
 * others. The worst is named and gives its sentence; remedies of the same lever and arguments act on all of them.
 */
export function mergeAlike(found: readonly CurrentFinding[]): readonly CurrentFinding[] {
  const byCode = new Map<string, CurrentFinding[]>();
  const merged: CurrentFinding[] = [];
  for (const finding of found) {
    if (finding.queue === null) {
      merged.push(finding);
      continue;
    }
    const alike = byCode.get(finding.code);
    if (alike) alike.push(finding);
    else byCode.set(finding.code, [finding]);
  }
  for (const alike of byCode.values()) {
    if (alike.length > MOST_ALIKE) merged.push(tellOnce(alike));
    else merged.push(...alike);
  }
  return merged;
}

function tellOnce(alike: CurrentFinding[]): CurrentFinding {
  const ranked = alike.sort(compareFindings);
  const worst = ranked[0];
  // Never so: merged only from more than ten.
  if (!worst) throw new RangeError('no findings to merge');
  const count = formatThings(ranked.length, 'queue');
  return {
    ...worst,
    queue: null,
    key: [worst.code, worst.instance, '', worst.node ?? ''].join('|'),
    title: `${count}: ${worst.title}`,
    sentence: `${count} are in this trouble; the worst: ${worst.sentence}`,
    evidence: [{ label: 'queues', value: ranked.length, unit: 'count' }, ...sums(ranked), ...worst.evidence],
    remedies: together(ranked),
    queues: ranked.slice(0, MOST_NAMED).map((finding) => finding.queue ?? ''),
  };
}

/** Jobs and bytes add up over queues; rates, ages and ratios are told for the worst only. */
function sums(ranked: readonly CurrentFinding[]): readonly Evidence[] {
  const total = new Map<string, { value: number; unit: 'jobs' | 'bytes' }>();
  for (const { evidence } of ranked) {
    for (const { label, value, unit } of evidence) {
      if (typeof value !== 'number' || (unit !== 'jobs' && unit !== 'bytes')) continue;
      total.set(label, { value: (total.get(label)?.value ?? 0) + value, unit });
    }
  }
  return [...total].map(([label, { value, unit }]) => ({ label: `${label}, all of them`, value, unit }));
}

function together(ranked: readonly CurrentFinding[]): readonly Remedy[] {
  const byCall = new Map<string, Remedy[]>();
  for (const remedy of ranked.flatMap((finding) => finding.remedies)) {
    const call = `${remedy.lever} ${JSON.stringify(remedy.args)}`;
    const same = byCall.get(call);
    if (same) same.push(remedy);
    else byCall.set(call, [remedy]);
  }
  // Calls that fit one queue only (its own concurrency, its own rate) are not for a group: they stay on the queue's row.
  const shared = [...byCall.values()].filter((same) => same.length > 1);
  return shared
    .map((same) => forAll(same.slice(0, MOST_NAMED), same.length <= MOST_NAMED))
    .filter((remedy) => remedy !== null);
}

function forAll(same: readonly Remedy[], isAll: boolean): Remedy | null {
  const first = same[0];
  if (!first) return null;
  const freed = same.reduce((sum, remedy) => sum + (remedy.predictedFreedBytes ?? 0), 0);
  const queues = same.flatMap((remedy) => remedy.queues);
  const those = `${isAll ? '' : 'the '}${formatThings(queues.length, isAll ? 'queue' : 'worst queue')}`;
  return {
    ...first,
    label: `${first.label}: ${those}`,
    effect: `For each of ${those}, as for the first: ${first.effect}`,
    queues,
    ...(freed > 0 ? { predictedFreedBytes: freed } : {}),
  };
}

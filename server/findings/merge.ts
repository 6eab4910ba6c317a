import { formatThings } from '../model/format.js';
import type { Evidence, FoundNow, Remedy } from './finding.js';
import { compareSeverity } from './track.js';

/** From more queues than this on, one trouble that they share is told once. */
export const MOST_ALIKE = 10;
const MOST_NAMED = 100;

/**
 * Tells once what more than ten queues share: 300 queues without workers are one cause, and 300 lines would bury the
 * others. The worst is named and gives its sentence; remedies of the same lever and arguments act on all of them.
 * @param found what one rule found.
 */
export function mergeAlike(found: readonly FoundNow[]): readonly FoundNow[] {
  if (found.length <= MOST_ALIKE) return found;
  const alike = found.filter((finding) => finding.queue !== null);
  if (alike.length <= MOST_ALIKE) return found;
  return [...found.filter((finding) => finding.queue === null), ...tellOnce(alike)];
}

function tellOnce(alike: FoundNow[]): readonly FoundNow[] {
  const ranked = alike.sort(compareAlike);
  const worst = ranked[0];
  if (!worst) return [];
  const count = formatThings(ranked.length, 'queue');
  return [
    {
      ...worst,
      queue: null,
      title: `${count}: ${worst.title}`,
      sentence: `${count} are in this trouble; the worst: ${worst.sentence}`,
      evidence: [
        { label: 'queues', value: ranked.length, unit: 'count' },
        ...sums(ranked),
        ...worst.evidence,
      ],
      remedies: together(ranked),
      queues: ranked.slice(0, MOST_NAMED).map((finding) => finding.queue ?? ''),
    },
  ];
}

/** As findings are ranked; of one rule and instance only the queue is left to tell equals apart. */
function compareAlike(a: FoundNow, b: FoundNow): number {
  return (
    compareSeverity(a.severity, b.severity) || b.rank - a.rank || ((a.queue ?? '') < (b.queue ?? '') ? -1 : 1)
  );
}

/** Jobs and bytes add up over queues; rates, ages and ratios are told for the worst only. */
function sums(ranked: readonly FoundNow[]): readonly Evidence[] {
  const total = new Map<string, { value: number; unit: 'jobs' | 'bytes' }>();
  for (const { evidence } of ranked) {
    for (const { label, value, unit } of evidence) {
      if (typeof value !== 'number' || (unit !== 'jobs' && unit !== 'bytes')) continue;
      total.set(label, { value: (total.get(label)?.value ?? 0) + value, unit });
    }
  }
  return [...total].map(([label, { value, unit }]) => ({ label: `${label}, all of them`, value, unit }));
}

function together(ranked: readonly FoundNow[]): readonly Remedy[] {
  const byCall = new Map<string, Remedy[]>();
  for (const remedy of ranked.slice(0, MOST_NAMED).flatMap((finding) => finding.remedies)) {
    const call = `${remedy.lever} ${JSON.stringify(remedy.args)}`;
    const same = byCall.get(call);
    if (same) same.push(remedy);
    else byCall.set(call, [remedy]);
  }
  // Calls that fit one queue only (its own concurrency, its own rate) are not for a group: they stay on the queue's row.
  const shared = [...byCall.values()].filter((same) => same.length > 1);
  return shared.map((same) => forAll(same, ranked.length <= MOST_NAMED)).filter((remedy) => remedy !== null);
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

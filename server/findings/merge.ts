import { formatThings } from '../model/format.js';
import type { CodedFinding, Evidence, Remedy } from './finding.js';
import { compareSeverity } from './track.js';

/** From more queues than this on, one trouble that they share is told once. */
export const MOST_ALIKE = 10;
const MOST_NAMED = 100;

/**
 * Tells once what more than ten queues share: 300 queues without workers are one cause, and 300 lines would bury the
 * others. The worst is named and gives its sentence; remedies of the same lever and arguments act on all of them.
 * @param found what one rule found.
 */
export function mergeAlike(found: readonly CodedFinding[]): readonly CodedFinding[] {
  if (found.length <= MOST_ALIKE) return found;
  const alike = found.filter((finding) => finding.queue !== null);
  if (alike.length <= MOST_ALIKE) return found;
  return [...found.filter((finding) => finding.queue === null), ...tellOnce(alike)];
}

function tellOnce(alike: CodedFinding[]): readonly CodedFinding[] {
  const ranked = alike.sort(compareAlike);
  const worst = ranked[0];
  if (!worst) return [];
  const queues = [...new Set(ranked.flatMap(({ queue }) => queue ?? []))];
  const areTypes = ranked.some(({ jobType }) => jobType !== undefined);
  const count = areTypes
    ? `${formatThings(ranked.length, 'job type')} of ${formatThings(queues.length, 'queue')}`
    : formatThings(ranked.length, 'queue');
  const { jobType: _, ...about } = worst;
  const explains = ranked.flatMap((finding) => finding.explains ?? []).slice(0, MOST_NAMED);
  return [
    {
      ...about,
      queue: null,
      title: `${count}: ${worst.title}`,
      sentence: `${count} are in this trouble; the worst: ${worst.sentence}`,
      evidence: [
        ...(areTypes ? [{ label: 'job types', value: ranked.length, unit: 'count' as const }] : []),
        { label: 'queues', value: queues.length, unit: 'count' },
        ...sums(ranked),
        ...worst.evidence,
      ],
      remedies: together(ranked),
      queues: queues.slice(0, MOST_NAMED),
      ...(explains.length > 0 ? { explains } : {}),
    },
  ];
}

/** As findings are ranked; of one rule and instance only queue and job type are left to tell equals apart. */
function compareAlike(a: CodedFinding, b: CodedFinding): number {
  return compareSeverity(a.severity, b.severity) || b.rank - a.rank || (nameOf(a) < nameOf(b) ? -1 : 1);
}

function nameOf({ queue, jobType }: CodedFinding): string {
  return `${queue ?? ''}|${jobType ?? ''}`;
}

/** Jobs and bytes add up over queues; rates, ages and ratios are told for the worst only. */
function sums(ranked: readonly CodedFinding[]): readonly Evidence[] {
  const total = new Map<string, { value: number; unit: 'jobs' | 'bytes'; errorSquared: number }>();
  for (const { evidence } of ranked) {
    for (const { label, value, unit, error = 0 } of evidence) {
      if (typeof value !== 'number' || (unit !== 'jobs' && unit !== 'bytes')) continue;
      const before = total.get(label);
      total.set(label, {
        value: (before?.value ?? 0) + value,
        unit,
        // Errors of independent samples add up as squares.
        errorSquared: (before?.errorSquared ?? 0) + error * error,
      });
    }
  }
  return [...total].map(([label, { value, unit, errorSquared }]) => ({
    label: `${label}, all of them`,
    value,
    unit,
    ...(errorSquared > 0 ? { error: Math.round(Math.sqrt(errorSquared)) } : {}),
  }));
}

function together(ranked: readonly CodedFinding[]): readonly Remedy[] {
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

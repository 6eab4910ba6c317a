import { about, briefThings, jobsWaitBriefly } from '../model/brief.js';
import { type Evidence, fact } from '../model/evidence.js';
import type { CodedFinding, Remedy } from '../model/finding.js';
import { formatBytes, formatThings } from '../model/format.js';
import { firstOf } from '../model/words.js';
import { HELD } from './explained.js';
import { compareSeverity } from './track.js';

/** From more queues than this on, one trouble that they share is shown once. */
const MAX_ALIKE = 10;
const MAX_NAMED = 100;

/**
 * Shows once what more than ten queues share: 300 queues without workers are one cause, and 300 lines would bury the
 * others. The worst gives its words, and what adds up is added up; remedies of the same action and arguments act on all of them.
 * @param found what one rule found.
 */
export function mergeAlike(found: readonly CodedFinding[]): readonly CodedFinding[] {
  if (found.length <= MAX_ALIKE) return found;
  const alike = found.filter((finding) => finding.queue !== null);
  if (alike.length <= MAX_ALIKE) return found;
  return [...found.filter((finding) => finding.queue === null), ...asOne(alike)];
}

function asOne(alike: readonly CodedFinding[]): readonly CodedFinding[] {
  // Ten thousand may be alike at every tick: only those that are named are put in order.
  const ranked = firstOf(alike, MAX_NAMED, compareAlike);
  const worst = ranked[0];
  if (!worst) return [];
  const queues = new Set(alike.map(({ queue }) => queue)).size;
  const areTypes = alike.some(({ jobType }) => jobType !== undefined);
  const count = areTypes ? briefThings(alike.length, 'job type') : briefThings(queues, 'queue');
  const totals = sums(alike);
  const { jobType: _, ...place } = worst;
  const explaining = alike.filter((finding) => finding.explains !== undefined);
  const explains = firstOf(explaining, MAX_NAMED, compareAlike)
    .flatMap((finding) => finding.explains ?? [])
    .slice(0, MAX_NAMED);
  return [
    {
      ...place,
      queue: null,
      ...about(count, worst.what ?? worst.headline),
      cause: worst.cause,
      effect: (areTypes ? null : effectOf(totals, queues)) ?? worst.effect,
      detail: `Of the worst, ${worst.headline}: ${worst.effect}${worst.detail ? ` ${worst.detail}` : ''}`,
      evidence: [
        ...(areTypes ? [fact('job-types', 'job types', alike.length, 'count')] : []),
        fact('queues', 'queues', queues, 'count'),
        ...totals,
        ...worst.evidence,
      ],
      remedies: together(ranked, alike.length),
      queues: [...new Set(ranked.flatMap(({ queue }) => queue ?? []))],
      ...(explains.length > 0 ? { explains } : {}),
    },
  ];
}

/** What many queues come to together; null: their numbers don't add up to anything. */
function effectOf(totals: readonly Evidence[], queues: number): string | null {
  const totalOf = (name: string): number =>
    Number(totals.find((piece) => piece.name === `all:${name}`)?.value ?? 0);
  const [jobs, bytes] = [totalOf('waiting'), totalOf(HELD)];
  if (jobs > 0) return `${jobsWaitBriefly(jobs)} in these ${briefThings(queues, 'queue')}.`;
  return bytes > 0 ? `Together they hold ${formatBytes(bytes)}.` : null;
}

/** As findings are ranked; of one rule and instance only queue and job type are left to tell equals apart. */
function compareAlike(a: CodedFinding, b: CodedFinding): number {
  return (
    compareSeverity(a.severity, b.severity) ||
    b.rank - a.rank ||
    compareText(a.queue ?? '', b.queue ?? '') ||
    compareText(a.jobType ?? '', b.jobType ?? '')
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Jobs and bytes add up over queues; rates, ages and ratios are shown of the worst only. */
function sums(alike: readonly CodedFinding[]): readonly Evidence[] {
  const total = new Map<
    string,
    { label: string; value: number; unit: 'jobs' | 'bytes'; errorSquared: number }
  >();
  for (const { evidence } of alike) {
    for (const { name, label, value, unit, error = 0 } of evidence) {
      if (typeof value !== 'number' || (unit !== 'jobs' && unit !== 'bytes')) continue;
      const sum = total.get(name) ?? { label, value: 0, unit, errorSquared: 0 };
      if (!total.has(name)) total.set(name, sum);
      sum.value += value;
      // Errors of independent samples add up as squares.
      sum.errorSquared += error * error;
    }
  }
  return [...total].map(([name, { label, value, unit, errorSquared }]) => ({
    name: `all:${name}`,
    label: `${label}, all of them`,
    value,
    unit,
    ...(errorSquared > 0 ? { error: Math.round(Math.sqrt(errorSquared)) } : {}),
  }));
}

/** @param ranked the worst of `all`, those that are named. */
function together(ranked: readonly CodedFinding[], all: number): readonly Remedy[] {
  const byCall = new Map<string, Remedy[]>();
  for (const remedy of ranked.flatMap((finding) => finding.remedies)) {
    const call = `${remedy.action} ${JSON.stringify(remedy.args)}`;
    const same = byCall.get(call);
    if (same) same.push(remedy);
    else byCall.set(call, [remedy]);
  }
  // Calls that fit one queue only (its own concurrency, its own rate) are not for a group: they stay on the queue's row.
  const shared = [...byCall.values()].filter((same) => same.length > 1);
  return shared.map((same) => forAll(same, all <= MAX_NAMED)).filter((remedy) => remedy !== null);
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
    effect: `The same for each of ${those}; the preview says what comes of it.`,
    queues,
    ...(freed > 0 ? { predictedFreedBytes: freed } : {}),
  };
}

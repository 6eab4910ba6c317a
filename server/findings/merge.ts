import { formatThings } from '../model/format.js';
import type { CurrentFinding, Evidence, FoundNow, Remedy } from './finding.js';
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

/** Which finding explains another about the same queue, and from which share of its bytes on. */
const EXPLAINS: readonly {
  readonly cause: string;
  readonly effect: string;
  readonly bytes: (effect: CurrentFinding) => number;
  readonly isExact?: true;
}[] = [
  // What is retained is retained because of these: their sentence says what to set.
  { cause: 'memory.stack-traces', effect: 'memory.retention', bytes: firstBytes },
  { cause: 'memory.job-type', effect: 'memory.retention', bytes: firstBytes },
  // The same type in other words: its size is in the sentence of the cause.
  { cause: 'memory.job-type', effect: 'memory.large-jobs', bytes: typeBytes, isExact: true },
];
const EXPLAINED_RATIO = 0.5;

/** Findings that name the holder in their own sentence: the holder's finding is then no alarm of its own. */
const NAMES_HOLDER: ReadonlySet<string> = new Set(['redis.full', 'redis.filling']);

/**
 * Tells one trouble once: what another finding explains goes into that one, with its remedies; and where Redis is full or
 * filling, the type that holds most is named there, so that its own finding is a note for its queue and not a second alarm.
 * @param found of one instance, by all rules.
 */
export function foldExplained(found: readonly CurrentFinding[]): readonly CurrentFinding[] {
  const effectOf = (cause: CurrentFinding): readonly CurrentFinding[] =>
    EXPLAINS.filter((rule) => rule.cause === cause.code).flatMap((rule) =>
      found.filter((effect) => {
        if (effect.code !== rule.effect || effect.queue === null || effect.queue !== cause.queue)
          return false;
        const bytes = rule.bytes(effect);
        return rule.isExact ? firstBytes(cause) === bytes : firstBytes(cause) >= bytes * EXPLAINED_RATIO;
      }),
    );
  const folded = new Set<CurrentFinding>();
  const told = found.map((finding) => {
    const effects = effectOf(finding);
    for (const effect of effects) folded.add(effect);
    return effects.reduce(withEffect, finding);
  });
  const isHolderNamed = found.some(({ code }) => NAMES_HOLDER.has(code));
  return told.flatMap((finding, i) => {
    const original = found[i];
    if (original && folded.has(original)) return [];
    return [
      isHolderNamed && finding.code === 'memory.job-type'
        ? { ...finding, severity: 'info' as const }
        : finding,
    ];
  });
}

function withEffect(cause: CurrentFinding, effect: CurrentFinding): CurrentFinding {
  const known = new Set(cause.remedies.map((remedy) => JSON.stringify([remedy.lever, remedy.args])));
  const others = effect.remedies.filter((remedy) => !known.has(JSON.stringify([remedy.lever, remedy.args])));
  return {
    ...cause,
    severity: compareSeverity(cause.severity, effect.severity) <= 0 ? cause.severity : effect.severity,
    remedies: [...cause.remedies, ...others],
  };
}

/** The first number of bytes among a finding's evidence is what it is about. */
function firstBytes({ evidence }: CurrentFinding): number {
  const value = evidence.find(({ unit }) => unit === 'bytes')?.value;
  return typeof value === 'number' ? value : 0;
}

function typeBytes({ evidence }: CurrentFinding): number {
  const value = evidence.find(({ label }) => label === ALL_OF_TYPE)?.value;
  return typeof value === 'number' ? value : Number.NaN;
}

/** Label of what all jobs of a type hold, in memory.large-jobs. */
export const ALL_OF_TYPE = 'all of the type';

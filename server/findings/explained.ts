import type { CodedFinding, Explained, Remedy } from '../model/finding.js';
import { firstOf } from '../model/words.js';
import { compareSeverity } from './track.js';

/** Many queues may follow from one; more lines than this help nobody. */
const MAX_EXPLAINED = 100;

/** One finding explains another: the other is then shown with it, and not by itself. */
interface Explanation {
  readonly cause: string;
  readonly effects: readonly string[];
  readonly holds: (cause: CodedFinding, effect: CodedFinding) => boolean;
  /** The remedies of the effect help against the cause too, after its own. */
  readonly withRemedies: boolean;
}

const LATE_WORKERS = ['worker.stuck', 'worker.silent', 'worker.outlier'];
const FLOW = ['queue.overloaded', 'queue.growing'];

/**
 * What explains what, from the root down: an effect goes to the first cause in this order that holds. Codes only ever
 * point downwards, so nothing explains itself in the end.
 */
const EXPLANATIONS: readonly Explanation[] = [
  // Who is held up itself sees late. That a connection is lost is no effect of it: silence is counted in attended time.
  {
    cause: 'console.starved',
    effects: ['console.stale'],
    holds: () => true,
    withRemedies: false,
  },
  // More slots on a host without CPU make it worse, and what is slow there is slow because of it.
  ...['console.starved', 'host.starved'].map((cause) => ({
    cause,
    effects: [...FLOW, 'queue.stuck', 'jobtype.slow', 'jobtype.absent', ...LATE_WORKERS],
    holds: isAccountedFor,
    withRemedies: false,
  })),
  // The sentence about a full Redis names the holder, why it stays and what to set; more slots would hurt now (facts.md).
  ...['redis.full', 'redis.filling'].map((cause) => ({
    cause,
    effects: ['memory.job-type', 'jobtype.batch-wait'],
    holds: isAccountedFor,
    withRemedies: false,
  })),
  { cause: 'redis.full', effects: FLOW, holds: isAccountedFor, withRemedies: false },
  {
    cause: 'redis.full',
    effects: ['queue.stuck'],
    holds: ({ code }, effect) => effect.causedBy === code,
    withRemedies: false,
  },
  { cause: 'redis.full', effects: ['worker.blocked'], holds: () => true, withRemedies: false },
  // Held up: more slots for the victims, or for the source, take even more of what they share.
  {
    cause: 'queue.noisy-neighbour',
    effects: [...FLOW, 'worker.outlier', 'jobtype.slow'],
    holds: isAccountedFor,
    withRemedies: false,
  },
  { cause: 'queue.noisy-neighbour', effects: FLOW, holds: isSameQueue, withRemedies: false },
  // Slots that run what fails again are lost; more of them fail more.
  { cause: 'jobtype.failing', effects: FLOW, holds: isAccountedFor, withRemedies: false },
  { cause: 'jobtype.batch-wait', effects: FLOW, holds: isAccountedFor, withRemedies: true },
  { cause: 'jobtype.slow', effects: FLOW, holds: isAccountedFor, withRemedies: true },
  // A type that merely takes most of the time is named in the sentence of the queue.
  ...FLOW.map((cause) => ({ cause, effects: ['jobtype.slow'], holds: isAccountedFor, withRemedies: true })),
  // What is retained is retained because of these: their sentence says what to set.
  ...['memory.stack-traces', 'memory.job-type'].map((cause) => ({
    cause,
    effects: ['memory.retention'],
    holds: (one: CodedFinding, effect: CodedFinding) =>
      isSameQueue(one, effect) && heldBytes(one) >= heldBytes(effect) * EXPLAINED_RATIO,
    withRemedies: true,
  })),
  // The same type in other words: its size is in the sentence of the cause.
  {
    cause: 'memory.job-type',
    effects: ['memory.large-jobs'],
    holds: (one, effect) => isSameQueue(one, effect) && heldBytes(one) === heldBytes(effect),
    withRemedies: true,
  },
];
const EXPLAINED_RATIO = 0.5;
/** By the code of the effect, in the order above. */
const BY_EFFECT: ReadonlyMap<string, readonly Explanation[]> = new Map(
  EXPLANATIONS.flatMap(({ effects }) => effects).map((code) => [
    code,
    EXPLANATIONS.filter(({ effects }) => effects.includes(code)),
  ]),
);

/** How urgent it is says a forecast of Redis itself: a queue in worse trouble makes the memory no fuller, and is shown by itself. */
const JUDGED_ALONE = 'redis.filling';
/** Findings that name the largest holder of memory in their own sentence: the holder's finding is then no alarm of its own. */
const NAMES_HOLDER: ReadonlySet<string> = new Set(['redis.full', 'redis.filling']);

/**
 * Shows one trouble once: what another finding explains goes into that one as a line, with its severity, and its remedies
 * where they help. Chains go to their root: a full Redis explains the queue that its holder overloads.
 * @param found of one instance, by all rules.
 * @returns each finding as itself or in exactly one `explains`, except that lines are cut at a hundred.
 */
export function foldExplained(found: readonly CodedFinding[]): readonly CodedFinding[] {
  const effectsOf = new Map<CodedFinding, { effect: CodedFinding; withRemedies: boolean }[]>();
  const folded = new Set<CodedFinding>();
  const causes = new Causes(found);
  for (const effect of found) {
    const match = causeOf(effect, causes);
    if (!match) continue;
    folded.add(effect);
    const known = effectsOf.get(match.cause);
    if (known) known.push({ effect, withRemedies: match.withRemedies });
    else effectsOf.set(match.cause, [{ effect, withRemedies: match.withRemedies }]);
  }
  const withEffects = (finding: CodedFinding): CodedFinding => {
    const effects = effectsOf.get(finding);
    if (!effects) return finding;
    const whole = effects.map(({ effect, withRemedies }) => ({ effect: withEffects(effect), withRemedies }));
    const worst = firstOf(
      whole,
      MAX_EXPLAINED,
      (a, b) => compareSeverity(a.effect.severity, b.effect.severity) || b.effect.rank - a.effect.rank,
    );
    const cause = worst.reduce(
      (one, { effect, withRemedies }) => withEffect(one, effect, withRemedies ? effect.remedies : []),
      finding,
    );
    // What hurts users first: a cause stands at least where its effects would.
    return { ...cause, rank: whole.reduce((rank, { effect }) => Math.max(rank, effect.rank), finding.rank) };
  };
  for (const [cause, effects] of effectsOf) {
    if (cause.code !== JUDGED_ALONE) continue;
    const isWorse = ({ effect }: { effect: CodedFinding }) =>
      compareSeverity(withEffects(effect).severity, cause.severity) < 0;
    for (const { effect } of effects.filter(isWorse)) folded.delete(effect);
    effectsOf.set(
      cause,
      effects.filter((one) => !isWorse(one)),
    );
  }
  const isHolderNamed = found.some(({ code }) => NAMES_HOLDER.has(code));
  return found
    .filter((finding) => !folded.has(finding))
    .map((finding) => {
      const whole = withEffects(finding);
      return isHolderNamed && whole.code === 'memory.job-type'
        ? { ...whole, severity: 'info' as const }
        : whole;
    });
}

interface CausesOfCode {
  readonly all: CodedFinding[];
  readonly byQueue: Map<string, CodedFinding[]>;
}

/** What may explain others, by code and queue: with thousands of queues in trouble nobody asks each about each other. */
class Causes {
  readonly #byCode = new Map<string, CausesOfCode>();

  constructor(found: readonly CodedFinding[]) {
    const codes = new Set(EXPLANATIONS.map(({ cause }) => cause));
    for (const finding of found) {
      if (!codes.has(finding.code)) continue;
      const { all, byQueue } = this.#of(finding.code);
      all.push(finding);
      const queues = [finding.queue, ...(finding.accountsFor ?? []).map(({ queue }) => queue)];
      for (const queue of new Set(queues)) {
        if (queue === null) continue;
        const known = byQueue.get(queue);
        if (known) known.push(finding);
        else byQueue.set(queue, [finding]);
      }
    }
  }

  #of(code: string): CausesOfCode {
    const known = this.#byCode.get(code);
    if (known) return known;
    const made: CausesOfCode = { all: [], byQueue: new Map() };
    this.#byCode.set(code, made);
    return made;
  }

  /** Those of Redis and the console themselves, of which there are few; else those that are about the queue of the effect, or account for it. */
  of(code: string, { queue }: CodedFinding): readonly CodedFinding[] {
    const known = this.#byCode.get(code);
    if (!known) return [];
    return /^(redis|console)\./.test(code) ? known.all : (known.byQueue.get(queue ?? '') ?? []);
  }
}

function causeOf(
  effect: CodedFinding,
  causes: Causes,
): { readonly cause: CodedFinding; readonly withRemedies: boolean } | null {
  for (const { cause: code, holds, withRemedies } of BY_EFFECT.get(effect.code) ?? []) {
    const cause = causes.of(code, effect).find((one) => one !== effect && holds(one, effect));
    if (cause) return { cause, withRemedies };
  }
  return null;
}

function withEffect(cause: CodedFinding, effect: CodedFinding, offered: readonly Remedy[]): CodedFinding {
  const known = new Set(cause.remedies.map(callOf));
  const line: Explained = {
    code: effect.code,
    queue: effect.queue,
    ...(effect.jobType === undefined ? {} : { jobType: effect.jobType }),
    headline: effect.headline,
  };
  return {
    ...cause,
    severity: compareSeverity(cause.severity, effect.severity) <= 0 ? cause.severity : effect.severity,
    remedies: [...cause.remedies, ...offered.filter((remedy) => !known.has(callOf(remedy)))],
    explains: [...(cause.explains ?? []), line, ...(effect.explains ?? [])].slice(0, MAX_EXPLAINED),
  };
}

function callOf({ action, queues, workers, args }: Remedy): string {
  return JSON.stringify([action, queues, workers ?? [], args]);
}

function isAccountedFor({ accountsFor = [] }: CodedFinding, effect: CodedFinding): boolean {
  return accountsFor.some(
    ({ queue, jobType }) =>
      queue === effect.queue &&
      (jobType === undefined || effect.jobType === undefined || jobType === effect.jobType),
  );
}

function isSameQueue(cause: CodedFinding, effect: CodedFinding): boolean {
  return effect.queue !== null && effect.queue === cause.queue;
}

/** What a finding about memory is about: its bytes. */
function heldBytes({ evidence }: CodedFinding): number {
  const value = evidence.find(({ name }) => name === HELD)?.value;
  return typeof value === 'number' ? value : Number.NaN;
}

/** Name of the evidence that says how much memory is held by what a finding is about. */
export const HELD = 'held';

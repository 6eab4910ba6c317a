import { briefDuration } from '../model/brief.js';
import type { CurrentFinding, Remedy, Thresholds } from '../model/finding.js';
import { formatBytes } from '../model/format.js';
import { isFull } from '../model/queue-verdict.js';
import type { Acted, RedisNode, Snapshot } from '../model/snapshot.js';
import { HELD } from './explained.js';
import { isFarRaise, raiseMaxmemoryRemedy } from './make-room.js';
import { type Need, needOf, TEN_MINUTES, UNTIL_IN_EFFECT } from './need.js';
import { asOneRemedy, planRoom, type RoomOption, thenCause } from './plan-room.js';
import { doesSuffice, lastsSeconds, missingBytes, type Relief, reliefOf, together } from './relief.js';

/**
 * The first button must be enough: of what can be done, that comes first which suffices, and of those the one that harms
 * least. What brings nothing beside the need is not offered, nor what has just been done and brought nothing.
 */

/** Findings that are over once Redis has room. */
const NEED_ROOM: ReadonlySet<string> = new Set(['redis.full', 'redis.filling', 'redis.eviction-policy']);

/** Findings that are over once less is kept than is worth one. */
const KEPT: ReadonlySet<string> = new Set([
  'memory.retention',
  'memory.stack-traces',
  'memory.large-jobs',
  'memory.events',
]);

/** Less than this part of the need is nothing beside it, however often it is done. */
const LEAST_PART = 0.05;

/** What was done this long ago says what it would bring now. */
const JUST_NOW_MS = 600_000;

/**
 * By the harm that is done, the least first: nobody misses old events; results of completed jobs are gone; a larger limit
 * takes nothing, but lasts until a restart and may be more than the host bears; parked jobs wait; failed ones that are cleaned
 * are lost for good, so they come after what only waits; a pause stops work and frees nothing.
 */
const HARM = [
  'queue.trim-events',
  'queue.clean-finished completed',
  'redis.raise-maxmemory',
  'queue.park',
  'queue.clean-finished failed',
  'queue.pause',
];

const LOSES_JOBS = HARM.indexOf('queue.clean-finished failed');

function harmOf({ action, args }: Remedy): number {
  const place = HARM.indexOf(action === 'queue.clean-finished' ? `${action} ${String(args.state)}` : action);
  // What takes the cause away takes nothing from anybody.
  return place < 0 ? -1 : place;
}

/** Gives a finding about the memory of a Redis remedies that suffice, or the best that there is. Pure. */
export function enough(
  finding: CurrentFinding,
  snapshot: Snapshot,
  nowMs: number,
  thresholds: Thresholds,
): CurrentFinding {
  if (finding.code.startsWith('memory.')) return withAim(finding, snapshot, thresholds);
  const node = snapshot.nodes.find(({ id }) => id === finding.node) ?? null;
  if (!NEED_ROOM.has(finding.code) || node === null) return finding;
  const remedies = thatSuffice(finding.remedies, node, snapshot, nowMs, thresholds.memoryWarnRatio);
  const [first, ...others] = remedies;
  // What takes the cause away is not lost where something else comes first: it is what comes after.
  const cause =
    first && first.action !== 'sequence' ? others.find((remedy) => harmOf(remedy) < 0) : undefined;
  return { ...finding, remedies, next: finding.next ?? cause };
}

/**
 * Of a finding about what holds memory: does it give a Redis that needs room enough of it; and where none does, is the finding
 * over by it? Of several nodes it is not known whose room it is.
 */
function withAim(finding: CurrentFinding, snapshot: Snapshot, thresholds: Thresholds): CurrentFinding {
  const [node] = snapshot.nodes;
  if (finding.remedies.length === 0 || node === undefined || snapshot.nodes.length > 1) return finding;
  const need = needOf(node, { ...TEN_MINUTES, safeRatio: thresholds.memoryWarnRatio });
  const held = Number(finding.evidence.find(({ name }) => name === HELD)?.value ?? Number.NaN);
  const judge = (remedy: Remedy): Remedy => {
    const { predictedFreedBytes } = remedy;
    const relief = need && need.bytes > 0 ? reliefOf(remedy, snapshot, node, need) : null;
    if (need && relief) return withOutlook({ remedy, relief }, node, need);
    if (predictedFreedBytes === undefined || Number.isNaN(held) || !KEPT.has(finding.code)) return remedy;
    return { ...remedy, suffices: held - predictedFreedBytes < thresholds.retentionMinBytes };
  };
  return { ...finding, remedies: sufficingFirst(withoutLast(finding.remedies.map(judge), node)) };
}

/**
 * The same for what is to be done first before an action that a full Redis would answer with errors.
 *
 * Where the cause can be taken away, and room must come first, both are one plan at the top: its room has to last until that
 * takes effect, and not for ten minutes of the growth that it ends.
 */
export function thatSuffice(
  remedies: readonly Remedy[],
  node: RedisNode,
  snapshot: Snapshot,
  nowMs: number,
  safeRatio = TEN_MINUTES.safeRatio,
): readonly Remedy[] {
  const need = needOf(node, { ...TEN_MINUTES, safeRatio });
  if (need === null) return remedies;
  const fresh = remedies.filter((remedy) => !hasBroughtNothing(remedy, snapshot, nowMs, need));
  const { options, others } = optionsOf(fresh, snapshot, node, need);
  const causal = causePlan(fresh, snapshot, node);
  const least = (causal?.need ?? need).bytes * LEAST_PART;
  const worthwhile = options.filter(({ relief }) => relief.bytes >= least);
  // Little is more than nothing, where nothing else makes room.
  const offered = worthwhile.length > 0 ? worthwhile : options;
  const planned = causal ? null : planRoom(offered, need);
  const judged = [...(planned ? [asOneRemedy(planned, need)] : []), ...offered].map((option) =>
    withOutlook(option, node, need),
  );
  const all = [...(causal ? [causal.remedy] : []), ...judged, ...others];
  return sufficingFirst(withoutLast(all, node));
}

/** Asked for where nothing else is known to do: a limit far above the present one, or a stop of what works. */
function withoutLast(all: readonly Remedy[], node: RedisNode): readonly Remedy[] {
  const isLast = ({ action, args }: Remedy): boolean =>
    action === 'queue.pause' ||
    (action === 'redis.raise-maxmemory' && isFarRaise(Number(args.maxBytes), node));
  const isOnlyThose = all.filter(({ suffices }) => suffices !== false).every(isLast);
  return isOnlyThose ? all : all.filter((remedy) => !isLast(remedy));
}

/** Of those the least harmful first. */
function sufficingFirst(all: readonly Remedy[]): readonly Remedy[] {
  return [...all].sort((a, b) => ofSufficing(a) - ofSufficing(b) || placeOf(a) - placeOf(b));
}

/** Those that make room, the least harmful first, and the rest. */
function optionsOf(
  remedies: readonly Remedy[],
  snapshot: Snapshot,
  node: RedisNode,
  need: Need,
): { readonly options: readonly RoomOption[]; readonly others: readonly Remedy[] } {
  const options: RoomOption[] = [];
  const others: Remedy[] = [];
  for (const remedy of remedies) {
    const relief = reliefOf(remedy, snapshot, node, need);
    if (relief === null) others.push(remedy);
    else options.push({ remedy, relief, harm: harmOf(remedy), losesJobs: harmOf(remedy) === LOSES_JOBS });
  }
  return { options: options.sort((a, b) => a.harm - b.harm), others };
}

/** Room until the cause's remedy takes effect, and then that; null: none is known, it does not need room first, or there is too little. */
function causePlan(
  remedies: readonly Remedy[],
  snapshot: Snapshot,
  node: RedisNode,
): { readonly remedy: Remedy; readonly need: Need } | null {
  const need = needOf(node, UNTIL_IN_EFFECT);
  const cause = remedies.find((remedy) => harmOf(remedy) < 0);
  if (need === null || need.nowBytes === 0 || cause === undefined || cause.suffices === false) return null;
  const sized = remedies.flatMap((remedy) =>
    remedy.action === 'redis.raise-maxmemory' ? (raiseMaxmemoryRemedy(node, UNTIL_IN_EFFECT) ?? []) : remedy,
  );
  const { options } = optionsOf(sized, snapshot, node, need);
  const alone = options.find(({ relief }) => doesSuffice(relief, need) !== false);
  const chosen = alone ? [alone] : planRoom(options, need);
  const suffices = chosen && doesSuffice(together(chosen.map(({ relief }) => relief)), need);
  return chosen && suffices !== false
    ? { need, remedy: { ...thenCause(chosen, cause, need), suffices: suffices && (cause.suffices ?? null) } }
    : null;
}

/** What takes the cause away comes first even where nobody can know whether that is enough. */
function ofSufficing({ action, suffices }: Remedy): number {
  return suffices === false ? 2 : suffices === true || action === 'sequence' ? 0 : 1;
}

/** A plan of several is the best that there is, where there is one. */
function placeOf(remedy: Remedy): number {
  return remedy.action === 'sequence' ? -2 : harmOf(remedy);
}

function withOutlook(
  { remedy, relief }: Pick<RoomOption, 'remedy' | 'relief'>,
  node: RedisNode,
  need: Need,
): Remedy {
  const suffices = doesSuffice(relief, need);
  const seconds = lastsSeconds(relief, node, need);
  return {
    ...remedy,
    suffices,
    lastsSeconds: seconds === null ? null : Math.round(seconds),
    effect: `${remedy.effect.replace(/\.$/, '')}${outlookInWords(suffices, seconds, relief, need)}.`,
  };
}

/** "; full again in about 30 s at this growth" */
function outlookInWords(
  suffices: boolean | null,
  seconds: number | null,
  relief: Relief,
  need: Need,
): string {
  if (suffices === false && seconds === 0)
    return `; Redis stays full: ${formatBytes(Math.max(1, need.nowBytes - relief.bytes))} more have to go`;
  if (suffices === false && seconds !== null)
    return `; full again in about ${briefDuration(Math.max(1, seconds))} at this growth`;
  if (suffices === false) return `; ${formatBytes(missingBytes(relief, need))} short of being safe`;
  if (seconds !== null) return `; lasts about ${briefDuration(seconds)}`;
  return suffices === null ? '; how long it lasts is not known' : '';
}

/** Was it done just now, at all that it would be done to, and changed or freed nothing to speak of? */
function hasBroughtNothing(remedy: Remedy, { acted = [] }: Snapshot, nowMs: number, need: Need): boolean {
  const targets = remedy.queues.length > 0 ? remedy.queues : [null];
  const isSame = (done: Acted, queue: string | null): boolean =>
    isSameCall(done, remedy) && done.queue === queue && nowMs - done.atMs < JUST_NOW_MS;
  const last = targets.map((queue) => acted.findLast((done) => isSame(done, queue)) ?? null);
  if (last.length === 0 || last.includes(null)) return false;
  const isMade = last.some((done) => done?.isChange && done.freedBytes === null);
  const freedBytes = last.reduce((sum, done) => sum + (done?.freedBytes ?? 0), 0);
  return !isMade && freedBytes < Math.max(1, need.bytes * LEAST_PART);
}

type Call = { readonly action: string; readonly args: unknown };

/** Is it the same action with the same arguments, in whatever order they were given? */
export function isSameCall(one: Call, other: Call): boolean {
  const words = ({ args }: Call): string =>
    JSON.stringify(Object.entries(args ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)));
  return one.action === other.action && words(one) === words(other);
}

/** While a Redis is full more slots are answered with errors (facts.md): they come after room, and are no remedy before. */
const SCALING: ReadonlySet<string> = new Set(['workers.concurrency', 'queue.concurrency']);

/** Takes what would hurt a full Redis out of the remedies of any finding. Pure. */
export function roomFirst(finding: CurrentFinding, snapshot: Snapshot): CurrentFinding {
  if (finding.remedies.length === 0 || !isFull(snapshot)) return finding;
  const remedies = finding.remedies.filter(({ action }) => !SCALING.has(action));
  return remedies.length === finding.remedies.length ? finding : { ...finding, remedies };
}

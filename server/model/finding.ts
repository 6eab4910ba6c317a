import type { Brief } from './brief.js';
import type { HealthProblem } from './console-health.js';
import type { Evidence } from './evidence.js';
import type { QueueState, Snapshot, Unread, UnreadQueue } from './snapshot.js';

/** critical: users are hurt now. warning: they will be. info: worth knowing. */
export type Severity = 'critical' | 'warning' | 'info';

/** An action with its arguments filled in: what a button on the page, or automation, would send. */
export interface Remedy {
  readonly action: string;
  readonly label: string;
  /** What it would do, in one sentence, with numbers where known. */
  readonly effect: string;
  /** queue ids; empty for actions of scope instance. */
  readonly queues: readonly string[];
  /** Ids of workers, for actions of scope worker; `queues` is empty then. */
  readonly workers?: readonly string[];
  readonly args: Readonly<Record<string, unknown>>;
  /** Bytes it should free, where that is its purpose. */
  readonly predictedFreedBytes?: number;
  /** Does it alone reach the aim of its finding (findings/need.ts)? Left out or null: not known. */
  readonly suffices?: boolean | null;
  /**
   * Of what makes room: seconds until Redis is full again, at the growth that is to be expected. null: it lasts, or, where
   * `suffices` is null too, how long is not known.
   */
  readonly lastsSeconds?: number | null;
}

/** Whom a finding speaks of: a queue, or one job type of it. */
export interface FindingSubject {
  readonly queue: string;
  readonly jobType?: string;
}

/** A finding that another explains: it is shown there, in one line. */
export interface Explained {
  readonly code: string;
  readonly queue: string | null;
  readonly jobType?: string;
  readonly headline: string;
}

declare const isFindingKey: unique symbol;
/** Names a trouble: made by `findingKey` alone, compared as a whole, and never taken apart. */
export type FindingKey = string & { readonly [isFindingKey]: true };

/** What a finding is about, which is what sets it apart from others. */
interface FindingPlace {
  readonly code: string;
  readonly instance: string;
  readonly queue: string | null;
  readonly node: string | null;
  readonly jobType?: string | undefined;
}

/** The key of a trouble. It is kept with alerts and episodes, and in links: the same place has the same key in all releases. */
export function findingKey({ code, instance, queue, node, jobType }: FindingPlace): FindingKey {
  const place = [code, instance, queue ?? '', node ?? '', ...(jobType === undefined ? [] : [jobType])];
  return place.join('|') as FindingKey;
}

/** So many of a finding's numbers are shown at once; a longer text is no number. */
const KEY_NUMBERS = 4;
const MAX_KEY_CHARS = 16;

/** What of the evidence is shown at once. */
export function keyNumbers({ evidence }: Pick<Finding, 'evidence'>): readonly Evidence[] {
  return evidence
    .filter(({ value }) => typeof value === 'number' || value.length <= MAX_KEY_CHARS)
    .slice(0, KEY_NUMBERS);
}

/** Something wrong, with its reason and what to do. */
export interface Finding extends Brief {
  /** Stable, e.g. `redis.full`. */
  readonly code: string;
  readonly severity: Severity;
  readonly instance: string;
  /** null queue: about the instance (or the console's sight of it). */
  readonly queue: string | null;
  readonly node: string | null;
  /** Id of the worker it is about; absent or null: about none. */
  readonly worker?: string | null;
  /** Name of the job type that it is about, with `queue`; absent: about none. */
  readonly jobType?: string;
  /** The same trouble has the same key from tick to tick. */
  readonly key: FindingKey;
  /** How it works, how it is known, what is not: some short sentences for whoever wants to know more. Absent: nothing. */
  readonly detail?: string;
  /** What matters most first (`keyNumbers`). */
  readonly evidence: readonly Evidence[];
  /** The cause in words that quote job data, for those alone who may see them (`shownTo`); absent: nothing does. */
  readonly fromJobData?: { readonly cause: string; readonly evidence: readonly Evidence[] } | undefined;
  /** Those that suffice come first, the least harmful of them at the top. */
  readonly remedies: readonly Remedy[];
  /** What comes after the first remedy: it takes the cause away, and would hurt, or do nothing, before. */
  readonly next?: Remedy | undefined;
  /** When this key was first seen in an unbroken row. Filled by the watcher of findings. */
  readonly sinceMs: number;
  /** Larger is worse within a severity: what hurts users first. */
  readonly rank: number;
  /** Many queues share one trouble that is shown once: their ids, worst first, at most 100; `queue` is null then. */
  readonly queues?: readonly string[];
  /** What follows from this and so is not shown by itself, worst first, at most 100. Absent: nothing. */
  readonly explains?: readonly Explained[];
  /** The console can't see now: so it was at this time, and it may not be so any more. Absent: it is so now. */
  readonly lastSeenAtMs?: number;
}

/** A finding of this moment, without its past. */
export type CurrentFinding = Omit<Finding, 'sinceMs'>;

/** What a rule found, whole and with the rule's code; it has no past yet. */
export interface CodedFinding extends Omit<Finding, 'sinceMs' | 'key' | 'instance'> {
  /** The headline without its subject, for many that share it; absent: they have nothing to share. */
  readonly what?: string;
  /** Whose troubles it accounts for: explained.ts says which findings about them are then shown here. */
  readonly accountsFor?: readonly FindingSubject[];
  /** Code of the finding that this one follows from, where the rule itself knows; absent: it does not. */
  readonly causedBy?: string;
}

/** A finding as a rule makes it: about no queue and no node, and without remedies, where it says none. */
export interface FoundNow
  extends Omit<CodedFinding, 'code' | 'explains' | 'queue' | 'node' | 'remedies'>,
    Partial<Pick<Finding, 'queue' | 'node' | 'remedies'>> {}

export interface Thresholds {
  /** usedRatio from which filling is a warning, and from which it is critical. */
  readonly memoryWarnRatio: number;
  readonly memoryCriticalRatio: number;
  /** Forecasts further out than this are not a finding. */
  readonly fillHorizonSeconds: number;
  /** Waiting jobs and no departure for this long: stuck. */
  readonly stuckSeconds: number;
  /** Backlogs below this are no finding by themselves. */
  readonly backlogMinJobs: number;
  /** Finished jobs and events together from this many bytes on count as retention. */
  readonly retentionMinBytes: number;
}

/** A rule about the console itself. */
export interface OwnFindingRule extends Pick<FindingRule, 'code' | 'about'> {
  readonly detect: (problems: readonly HealthProblem[]) => readonly FoundNow[];
}

export interface FindingRule {
  readonly code: string;
  /** For the docs: what it means, in a sentence. */
  readonly about: string;
  /** Pure: everything it may know comes in. */
  readonly detect: (snapshot: Snapshot, nowMs: number, thresholds: Thresholds) => readonly FoundNow[];
}

/** What is to be said and done about what is not known while the rest is: it is in no sum, and it ends nothing. */

/** Was a queue in sums before that is not known now? One that could never be read is missed by no sum. */
export function lacksQueues({ queues }: Unread): boolean {
  return queues.some(({ last }) => last !== null);
}

/** Is anything not known that was, so that sums are not? */
export function isPartlyUnread({ unread }: Snapshot): boolean {
  return lacksQueues(unread) || unread.nodes.length > 0;
}

/** null: it is known, or it is not there. */
export function unreadQueue({ unread }: Snapshot, id: string): UnreadQueue | null {
  return unread.queues.find((queue) => queue.id === id) ?? null;
}

/** The queue as it is, or as it was last seen where it is not known now; null: neither. */
export function queueOrLast(snapshot: Snapshot, id: string): QueueState | null {
  return snapshot.queues.find((queue) => queue.id === id) ?? unreadQueue(snapshot, id)?.last ?? null;
}

/** Tells of a subject whether it belongs to what is not known. */
export function unreadSubjects({
  queues,
  nodes,
}: Unread): (subject: { readonly queue: string | null; readonly node: string | null }) => boolean {
  if (queues.length === 0 && nodes.length === 0) return () => false;
  const ids = new Set(queues.map(({ id }) => id));
  const addresses = new Set(nodes.map(({ last }) => last.address));
  return ({ queue, node }) => (queue !== null && ids.has(queue)) || (node !== null && addresses.has(node));
}

/**
 * Of what was found before, what can't be judged now as it is about queues or masters that are not known, each with the
 * time at which those were last read. It is neither so now nor over.
 * @param before as they were found, without marks of being last seen.
 * @param found now.
 */
export function findingsUnread(
  before: readonly CurrentFinding[],
  found: readonly CurrentFinding[],
  { queues, nodes }: Unread,
): readonly { readonly finding: CurrentFinding; readonly readAtMs: number }[] {
  if (queues.length === 0 && nodes.length === 0) return [];
  const readAt = new Map<string, number>([
    ...queues.map(({ id, sinceMs }) => [`queue ${id}`, sinceMs] as const),
    ...nodes.map(({ last }) => [`node ${last.id}`, last.readAtMs] as const),
  ]);
  const isFound = new Set(found.map(({ key }) => key));
  return before.flatMap((finding) => {
    if (isFound.has(finding.key)) return [];
    const about = [finding.queue, ...(finding.queues ?? [])].map((queue) => `queue ${queue}`);
    const times = [...about, `node ${finding.node}`].flatMap((key) => readAt.get(key) ?? []);
    return times.length > 0 ? [{ finding, readAtMs: Math.min(...times) }] : [];
  });
}

/** What holds unless the team sets it otherwise. */
export const DEFAULT_THRESHOLDS: Thresholds = {
  // Act well below the limit: at the very edge Redis's answers flip with its client buffers.
  memoryWarnRatio: 0.8,
  memoryCriticalRatio: 0.92,
  fillHorizonSeconds: 3600,
  stuckSeconds: 20,
  backlogMinJobs: 20,
  retentionMinBytes: 8 * 1024 * 1024,
};

import { detectFindings } from '../findings/index.js';
import { trackFindings } from '../findings/track.js';
import { callersSnapshot } from '../model/callers-snapshot.js';
import type { Finding } from '../model/finding.js';
import { hasRoleOn } from '../model/grants.js';
import type { Actor, Role } from '../model/role.js';
import type { Snapshot } from '../model/snapshot.js';
import { ALL_INSTANCES } from '../model/timeline-entry.js';
import type { Series } from '../watch/watch.js';
import type { AppDeps } from './app-deps.js';
import { Problem } from './problem.js';

/** Somebody whose role is bound to some of what is watched; their name does not matter here. */
export type BoundActor = Pick<Actor, 'role' | 'grants'>;

const NO_SERIES: Series = { atMs: [], values: {} };
/** Of an instance as a whole: these are sums over queues of others too. */
const SUMS = ['backlog', 'arrivalsPerSecond', 'departuresPerSecond'];

/** The snapshots as somebody sees them, made once for each. */
export function seenSnapshots(
  { watch, jobDataRole }: AppDeps,
  who: BoundActor,
): (instance: string) => Snapshot | null {
  const seen = new WeakMap<Snapshot, { readonly snapshot: Snapshot | null }>();
  return (instance) => {
    const whole = watch.snapshot(instance);
    if (!whole) return null;
    const known = seen.get(whole) ?? { snapshot: callersSnapshot(whole, who, jobDataRole) };
    seen.set(whole, known);
    return known.snapshot;
  };
}

/** What is watched, as somebody sees it. */
export function watchSeenBy(
  deps: AppDeps,
  who: BoundActor,
  snapshotOf: (instance: string) => Snapshot | null,
): AppDeps['watch'] {
  const { watch } = deps;
  const may = (role: Role, instance: string, queue: string | null): boolean =>
    hasRoleOn(who, role, instance, queue);
  const snapshots = (): readonly Snapshot[] =>
    watch.snapshots().flatMap(({ instance }) => snapshotOf(instance) ?? []);
  const need = (instance: string, queue: string): void => {
    if (!may('viewer', instance, queue))
      throw new Problem(404, 'not-found', `there is no queue ${queue} in ${instance}`);
    if (!may('operator', instance, queue))
      throw new Problem(403, 'forbidden', `this needs the role operator on ${queue}`);
  };
  return only<AppDeps['watch']>({
    snapshots,
    snapshot: snapshotOf,
    findings: findingsOf(deps, who, snapshots),
    onTick: watch.onTick,
    instanceSeries(instance) {
      if (!snapshotOf(instance)) return NO_SERIES;
      const series = watch.instanceSeries(instance);
      if (may('viewer', instance, null)) return series;
      const values = Object.fromEntries(
        Object.entries(series.values).filter(([name]) => !SUMS.includes(name)),
      );
      return { ...series, values };
    },
    queueSeries: (instance, queue) =>
      may('viewer', instance, queue) ? watch.queueSeries(instance, queue) : NO_SERIES,
    workerSeries: (instance, worker) =>
      snapshotOf(instance)?.workers.some(({ id }) => id === worker)
        ? watch.workerSeries(instance, worker)
        : null,
    refreshSoon(instance, queue) {
      if (may('viewer', instance, queue)) watch.refreshSoon(instance, queue);
    },
    startCount(instance, queue, isDryRun) {
      need(instance, queue);
      return watch.startCount(instance, queue, isDryRun);
    },
    stopCount(instance, queue) {
      need(instance, queue);
      return watch.stopCount(instance, queue);
    },
  });
}

/**
 * What is wrong with what somebody sees, found in that alone: a sentence about the whole names queues of others. Since when
 * it is so, the console knows of what it finds itself.
 */
function findingsOf(
  { watch, now, thresholds, jobDataRole }: AppDeps,
  who: BoundActor,
  snapshots: () => readonly Snapshot[],
): () => readonly Finding[] {
  const found = new Map<string, { readonly of: Snapshot; readonly findings: readonly Finding[] }>();
  const judge = (snapshot: Snapshot): readonly Finding[] => {
    const { instance } = snapshot;
    const before = found.get(instance);
    if (before?.of === snapshot) return before.findings;
    const isHere = (finding: Finding): boolean => finding.instance === instance;
    const past = [...watch.findings().filter(isHere), ...(before?.findings ?? [])];
    const current = detectFindings(snapshot, now(), thresholds).map((finding) =>
      hasRoleOn(who, jobDataRole, instance, finding.queue) ? finding : { ...finding, fromJobData: undefined },
    );
    const findings = trackFindings(past, current, now());
    found.set(instance, { of: snapshot, findings });
    return findings;
  };
  return () => snapshots().flatMap(judge);
}

/** Tells whether a sentence names a queue that is not seen: by its id, or by its name as a word. */
export function hiddenNames(
  { watch }: AppDeps,
  sees: (instance: string, queue: string) => boolean,
): (text: string) => boolean {
  const namesOf = new WeakMap<Snapshot, ReadonlySet<string>>();
  const hiddenIn = (snapshot: Snapshot): ReadonlySet<string> => {
    const { instance, queues, unread } = snapshot;
    const known =
      namesOf.get(snapshot) ??
      new Set(
        [...queues, ...unread.queues].flatMap(({ id, name }) => (sees(instance, id) ? [] : [id, name])),
      );
    namesOf.set(snapshot, known);
    return known;
  };
  return (text) => {
    const words = text.split(/[\s,;"“”()]+/).map((word) => word.replace(/(?:[:.?!]|’s|'s)+$/u, ''));
    return watch.snapshots().some((snapshot) => {
      const hidden = hiddenIn(snapshot);
      return words.some((word) => hidden.has(word));
    });
  };
}

/** A thing that has these parts alone; whoever takes another is refused. */
export function only<T extends object>(parts: Partial<T>): T {
  return new Proxy(parts, {
    get(held, name) {
      if (name in held || typeof name === 'symbol') return Reflect.get(held, name);
      throw new Problem(403, 'forbidden', `this needs a role on ${wholeOf(ALL_INSTANCES)}`);
    },
  }) as T;
}

/** An instance, or all of them, in words. */
export function wholeOf(instance: string): string {
  return instance === ALL_INSTANCES ? 'every Redis as a whole' : `the whole of Redis ${instance}`;
}

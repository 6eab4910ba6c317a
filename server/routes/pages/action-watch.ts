import type { WatchProps } from '../../../views/action-watch.js';
import { makesRoom } from '../../actions/aim.js';
import { isSameCall } from '../../findings/enough.js';
import { needOf } from '../../findings/need.js';
import { lastsSeconds, NO_RELIEF } from '../../findings/relief.js';
import type { Finding } from '../../model/finding.js';
import { fullestNode } from '../../model/queue-verdict.js';
import type { Role } from '../../model/role.js';
import { isSettling as isTooSoon } from '../../model/sight.js';
import type { Acted, Snapshot } from '../../model/snapshot.js';
import type { AppDeps } from '../app-deps.js';
import { remedyButton } from './remedy-button.js';

/** Whoever has not looked for so long has gone to bed. */
const WATCHED_MS = 900_000;
/** By then what was done is seen. */
const SETTLED_MS = 1_500;
/** More queues are not put into an address: then all of the Redis are watched. */
const MAX_QUEUES = 20;

/** What is watched after an action, and since when. */
interface WatchedAction {
  readonly instance: string;
  /** Empty: all. */
  readonly queues: readonly string[];
  readonly sinceMs: number;
  /** Jobs that waited then; null: what was done takes jobs away itself, and that is no drain, so it is counted from then on. */
  readonly waited: number | null;
}

/** As it begins. */
export function watchedFrom(
  deps: AppDeps,
  { instance, queues }: Pick<WatchedAction, 'instance' | 'queues'>,
  takesJobsAway: boolean,
): WatchedAction {
  const some = queues.length > MAX_QUEUES ? [] : queues;
  const snapshot = takesJobsAway ? null : deps.watch.snapshot(instance);
  return { instance, queues: some, sinceMs: deps.now(), waited: snapshot && waitingIn(snapshot, some) };
}

/** From the address of the fragment. */
export function watchedOf(query: Readonly<Record<string, string[]>>): WatchedAction {
  const [waited = ''] = query.waited ?? [];
  return {
    instance: query.instance?.[0] ?? '',
    queues: (query.queues ?? []).slice(0, MAX_QUEUES),
    sinceMs: Number(query.since?.[0] ?? 0),
    waited: /^\d+$/.test(waited) ? Number(waited) : null,
  };
}

/** What goes on there now, by what is known already. */
export function watchOf(deps: AppDeps, role: Role, watched: WatchedAction): WatchProps {
  const { instance, queues, sinceMs, waited } = watched;
  const snapshot = deps.watch.snapshot(instance);
  const [worst] = deps.watch
    .findings()
    .filter((finding) => finding.severity !== 'info' && isAbout(finding, instance, queues));
  const done = doneSince(deps, instance, sinceMs);
  // Findings are of before until trends are new; that Redis refuses writes is seen at once.
  const isSettling = snapshot !== null && isTooSoon(snapshot, deps.now()) && worst?.code !== 'redis.full';
  const remedy = [...(worst?.remedies ?? []), ...(worst?.next ? [worst.next] : [])].find(
    (one) => !done.some((step) => isSameCall(one, step)),
  );
  const now = snapshot && waitingIn(snapshot, queues);
  const node = snapshot && fullestNode(snapshot);
  const need = node && needOf(node);
  const ageMs = deps.now() - sinceMs;
  const from = waited ?? (ageMs < SETTLED_MS ? null : now);
  return {
    url: ageMs < WATCHED_MS ? urlOf({ ...watched, waited: from }) : null,
    node,
    // The growth of before says nothing once it drains, or the cause was just taken away.
    lastsSeconds:
      (now !== null && waited !== null && now < waited) || done.some(({ action }) => !makesRoom(action))
        ? null
        : node && need && lastsSeconds(NO_RELIEF, node, need),
    waiting: now === null ? null : { before: waited, now },
    isSettling,
    trouble: worst?.headline ?? null,
    next:
      worst && remedy && !isSettling
        ? remedyButton(remedy, instance, role, { why: worst.headline, finding: worst.key })
        : null,
  };
}

function waitingIn(snapshot: Snapshot, queues: readonly string[]): number {
  return snapshot.queues
    .filter(({ id }) => queues.length === 0 || queues.includes(id))
    .reduce((sum, { backlog }) => sum + backlog, 0);
}

function isAbout(finding: Finding, instance: string, queues: readonly string[]): boolean {
  if (finding.instance !== instance) return false;
  const about = [finding.queue, ...(finding.queues ?? [])].filter((id) => id !== null);
  return queues.length === 0 || about.length === 0 || about.some((id) => queues.includes(id));
}

function urlOf({ instance, queues, sinceMs, waited }: WatchedAction): string {
  const query = new URLSearchParams({ instance, since: String(sinceMs) });
  for (const queue of queues) query.append('queues', queue);
  if (waited !== null) query.set('waited', String(waited));
  return `/action/watch?${query}`;
}

/** What was done there since a moment: the steps of what is under way. */
export function doneSince(deps: AppDeps, instance: string, sinceMs: number): readonly Acted[] {
  return (deps.watch.snapshot(instance)?.acted ?? []).filter(({ atMs }) => atMs >= sinceMs).slice(-8);
}

export function progressPath(instance: string, sinceMs: number): string {
  return `/action/progress?${new URLSearchParams({ instance, since: String(sinceMs) })}`;
}

import type { HeldLocks, SeenWorker } from '../model/worker.js';

/**
 * Who has taken the place of each worker that is gone: the first of the same name on its queue (or without a name, as it
 * was) that was heard for the first time after its last beat, and that has taken nobody else's place. Of several, one on
 * the same host goes first: a restart. Pure.
 * @param before ids of workers that have taken a place already.
 * @returns by id of the worker that is gone; those whose place is empty are left out.
 */
export function replacedWorkers(
  workers: readonly SeenWorker[],
  before: ReadonlySet<string> = new Set(),
): ReadonlyMap<string, SeenWorker> {
  const gone = workers.filter(
    ({ agent, isConnected, replacedBy }) => agent !== null && isConnected === false && replacedBy === null,
  );
  const replaced = new Map<string, SeenWorker>();
  if (gone.length === 0) return replaced;
  const inTurn = workers
    .filter(({ agent }) => agent !== null)
    .sort((a, b) => appearedAtMs(a) - appearedAtMs(b) || (a.id < b.id ? -1 : 1));
  const taken = new Set(before);
  // Whoever was lost first is replaced first, so that one who came and was lost too has a place to be replaced in.
  for (const one of [...gone].sort((a, b) => a.lastSeenAtMs - b.lastSeenAtMs)) {
    const fits = inTurn.filter(
      (other) =>
        other.queueId === one.queueId &&
        other.name === one.name &&
        appearedAtMs(other) > one.lastSeenAtMs &&
        !taken.has(other.id),
    );
    const successor = fits.find(({ host }) => host === one.host) ?? fits[0];
    if (!successor) continue;
    taken.add(successor.id);
    replaced.set(one.id, successor);
  }
  return replaced;
}

/** Whoever was there before a console was started is first seen then: it says itself since when it is attached. */
function appearedAtMs({ firstSeenAtMs, agent }: SeenWorker): number {
  return Math.min(firstSeenAtMs, agent?.attachedAtMs ?? firstSeenAtMs);
}

/** One that is gone without a farewell, as it was seen last, without what tells of a present. */
export interface LostWorker {
  readonly worker: SeenWorker;
  /** For reading the locks of the jobs that it had in hand. */
  readonly lockToken: string | null;
}

/** What outlives a restart of the console. */
export interface LostWorkerStore {
  /** Of one Redis, the one lost first first; those that are replaced too, as their successors take no other place. */
  list(instance: string): Promise<readonly LostWorker[]>;
  keep(instance: string, lost: LostWorker): Promise<void>;
  drop(instance: string, id: string): Promise<void>;
}

/** Of one Redis: the one that was lost first goes first, as processes that crash in a loop come with new names. */
export const MAX_LOST = 500;
/** Who is replaced is shown for a minute more, with who has the place. */
const SHOWN_MS = 60_000;
const MAX_LABELS = 20;
const MAX_JOBS = 20;

/**
 * Workers that are gone without a farewell. They are missed until a successor is heard or somebody dismisses them, also
 * over a restart of the console; bounded by MAX_LOST. Without I/O: `changed` is called with what is to be kept, null: nothing more.
 */
export class LostWorkers {
  readonly #byId = new Map<string, LostWorker & { replacedAtMs: number | null }>();
  /** Who has taken a place takes no other one. */
  readonly #successors = new Set<string>();
  readonly #changed: (id: string, lost: LostWorker | null) => void;

  constructor(changed: (id: string, lost: LostWorker | null) => void = () => undefined) {
    this.#changed = changed;
  }

  has(id: string): boolean {
    return this.#byId.has(id);
  }

  add(worker: SeenWorker, lockToken: string | null): void {
    if (this.#byId.has(worker.id)) return;
    const lost = { worker: withoutPresent(worker), lockToken };
    this.#hold(lost);
    this.#changed(worker.id, lost);
  }

  /** From before a restart; what has been seen since goes before. */
  restore(kept: readonly LostWorker[], isHeard: (id: string) => boolean): void {
    for (const lost of kept) {
      const { id, replacedBy } = lost.worker;
      if (replacedBy) this.#successors.add(replacedBy.id);
      else if (!isHeard(id) && !this.#byId.has(id)) this.#hold(lost);
    }
  }

  /** It beats again, or somebody has dismissed it. @returns false: it is not missed. */
  remove(id: string): boolean {
    if (!this.#byId.delete(id)) return false;
    this.#changed(id, null);
    return true;
  }

  setLocks(id: string, locks: HeldLocks): void {
    const lost = this.#byId.get(id);
    if (lost) this.#byId.set(id, { ...lost, worker: { ...lost.worker, locks } });
  }

  /** Whose locks are to be looked at. */
  get all(): readonly LostWorker[] {
    return [...this.#byId.values()];
  }

  /**
   * Finds successors among the workers that are there, and forgets who has been replaced for a while.
   * @returns those that are lost, with who has their place.
   */
  states(present: readonly SeenWorker[], nowMs: number): readonly SeenWorker[] {
    const missed = [...this.#byId.values()].flatMap(({ worker }) => (worker.replacedBy ? [] : worker));
    for (const [id, by] of replacedWorkers([...present, ...missed], this.#successors)) {
      const lost = this.#byId.get(id);
      if (!lost) continue;
      const replacedBy = { id: by.id, label: by.label };
      const now = { ...lost, worker: { ...lost.worker, replacedBy }, replacedAtMs: nowMs };
      this.#byId.set(id, now);
      this.#successors.add(by.id);
      this.#changed(id, now);
    }
    for (const [id, { worker, replacedAtMs }] of this.#byId) {
      const { locks } = worker;
      const isSettled = locks === null || locks.held + locks.orphaned === 0;
      if (replacedAtMs !== null && isSettled && nowMs - replacedAtMs > SHOWN_MS) this.#byId.delete(id);
    }
    this.#forgetSuccessors(present);
    return [...this.#byId.values()].map(({ worker }) => worker);
  }

  #hold(lost: LostWorker): void {
    const [oldest] = this.#byId.keys();
    if (this.#byId.size >= MAX_LOST && oldest !== undefined) this.#byId.delete(oldest);
    this.#byId.set(lost.worker.id, { ...lost, replacedAtMs: null });
  }

  /** Only who is there can be taken for somebody's successor again. */
  #forgetSuccessors(present: readonly SeenWorker[]): void {
    if (this.#successors.size <= 2 * MAX_LOST) return;
    const there = new Set(present.map(({ id }) => id));
    for (const id of this.#successors) if (!there.has(id)) this.#successors.delete(id);
  }
}

/** Rates, trends and run times tell of a present that it has no more; what anybody may have sent is bounded. */
export function withoutPresent(worker: SeenWorker): SeenWorker {
  const { agent } = worker;
  if (!agent) return worker;
  return {
    ...worker,
    isConnected: false,
    agent: {
      ...agent,
      labels: Object.fromEntries(Object.entries(agent.labels).slice(0, MAX_LABELS)),
      oldest: agent.oldest.slice(0, MAX_JOBS),
      types: [],
      wait: null,
      finishedPerSecond: 0,
      failedPerSecond: 0,
      overrides: [],
      finishedTrend: [],
      runningTrend: [],
    },
  };
}

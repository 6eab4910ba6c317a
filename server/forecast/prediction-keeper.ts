import type { QueueState } from '../model/snapshot.js';
import { reasonOf } from '../process/every.js';
import type { Watch } from '../watch/watch.js';
import { type PlanBasis, planBasisOf } from './plan-basis.js';
import type { KeptPrediction, PredictionLog } from './predictions.js';
import { areSettingsAs, type ForecastVerdict, judgePrediction, type Prediction, type Seen } from './score.js';

/** Predictions that are watched at a time; those beyond are not kept, as they are alike (a group of queues). */
const MAX_OPEN = 200;
/** An override takes this long to be in force everywhere, so other settings count once they have lasted. */
const CHANGED_FOR_MS = 5_000;
/** A console that restarts has found a queue again long before this, if it is still there. */
const NOT_FOUND_MS = 3_600_000;
/** What was forecast on another console is looked for this often. */
const REFRESH_EVERY_MS = 2_000;

interface KeeperDeps {
  readonly watch: Pick<Watch, 'snapshot' | 'onTick' | 'refreshSoon'>;
  readonly log: PredictionLog;
  /** Of several consoles on one store, is it this one that judges? */
  readonly isLeader: () => boolean;
  readonly now: () => number;
  readonly newId: () => string;
  readonly warn: (message: string) => void;
}

/** One that is open, and what has been seen of its queue by this process. */
interface Watched {
  readonly prediction: Prediction;
  first: { readonly atMs: number; readonly addedTotal: number } | null;
  lastAtMs: number | null;
  /** Since when settings are others than forecast; null: they are as forecast. */
  changedSinceMs: number | null;
}

/**
 * Holds what actions forecast against what happens. open → settled, once the backlog is gone or should long have been;
 * open → void, when settings or arrivals did not stay as they were counted on, when another change is forecast for the
 * same queue, or when the console did not look. Driven by the watcher's ticks. What is open is in the store as well, so a
 * console that restarts, or takes over from another one, goes on with it.
 */
export class PredictionKeeper {
  readonly #deps: KeeperDeps;
  readonly #open = new Map<string, Watched>();
  #stop: (() => void) | null = null;
  #refreshedAtMs = 0;

  constructor(deps: KeeperDeps) {
    this.#deps = deps;
  }

  /** Takes up what is open in the store, and begins to look. */
  async start(): Promise<void> {
    // First, so that a store that can't be read now is tried again at a later tick.
    this.#stop = this.#deps.watch.onTick((instance) => this.#look(instance), 'forecasts');
    await this.#refresh();
  }

  stop(): void {
    this.#stop?.();
    this.#stop = null;
  }

  /** Takes a prediction for a change that has been made. One before it, for the same queue, is void. Never throws. */
  async add(prediction: Prediction): Promise<void> {
    const { log, isLeader, newId } = this.#deps;
    const { instance, queue } = prediction;
    const id = newId();
    try {
      // Those of all consoles: the store knows them.
      const open = await log.list({ status: 'open', limit: MAX_OPEN });
      const others = open.filter((other) => other.instance === instance && other.queue === queue);
      for (const other of others)
        await this.#settle(other.id, { status: 'void', reason: 'settings-changed' });
      if (open.length - others.length >= MAX_OPEN) return;
      if (isLeader()) this.#open.set(id, { ...watched(prediction), lastAtMs: prediction.madeAtMs });
      await log.add(id, prediction);
    } catch (error) {
      this.#open.delete(id);
      this.#deps.warn(`a forecast was not kept: ${reasonOf(error)}`);
    }
  }

  /** Takes up what is open in the store and not known here. One that is settled there already can't be settled again. */
  async #refresh(): Promise<void> {
    this.#refreshedAtMs = this.#deps.now();
    const kept = await this.#deps.log.list({ status: 'open', limit: MAX_OPEN });
    for (const one of kept) if (!this.#open.has(one.id)) this.#open.set(one.id, watched(predictionIn(one)));
  }

  #look(instance: string): void {
    const { isLeader, now, warn } = this.#deps;
    if (!isLeader()) {
      // What has been seen of a queue is of no use after a gap.
      this.#open.clear();
      return;
    }
    if (now() - this.#refreshedAtMs >= REFRESH_EVERY_MS)
      void this.#refresh().catch((error: unknown) => warn(`forecasts could not be read: ${reasonOf(error)}`));
    for (const [id, one] of this.#open) {
      if (one.prediction.instance !== instance) continue;
      const snapshot = this.#deps.watch.snapshot(instance);
      if (snapshot?.link.status !== 'live') continue;
      // A queue in which nothing moves is otherwise read every ten seconds only.
      this.#deps.watch.refreshSoon(instance, one.prediction.queue);
      const basis = planBasisOf(snapshot, one.prediction.queue);
      const verdict = basis ? look(one, basis) : gone(one, now());
      if (verdict.status !== 'open') void this.#settle(id, verdict);
    }
  }

  async #settle(id: string, verdict: Exclude<ForecastVerdict, { status: 'open' }>): Promise<void> {
    this.#open.delete(id);
    try {
      await this.#deps.log.settle(id, verdict, this.#deps.now());
    } catch (error) {
      this.#deps.warn(`what came of a forecast was not kept: ${reasonOf(error)}`);
    }
  }
}

function watched(prediction: Prediction): Watched {
  return { prediction, first: null, lastAtMs: null, changedSinceMs: null };
}

/** Judges what a new read shows; reads that are not new, or older than the change, leave it open. */
function look(one: Watched, basis: PlanBasis): ForecastVerdict {
  const { prediction } = one;
  const { queue } = basis;
  const atMs = queue.readAtMs;
  if (atMs <= prediction.madeAtMs || (one.first !== null && atMs <= (one.lastAtMs ?? 0)))
    return { status: 'open' };
  one.first ??= { atMs, addedTotal: queue.addedTotal };
  one.changedSinceMs = areSettingsAs(prediction, basis) ? null : (one.changedSinceMs ?? atMs);
  const seen: Seen = {
    atMs,
    backlog: queue.backlog,
    arrivalsPerSecond: arrivalsSince(one, queue) ?? prediction.arrivalsPerSecond,
    areSettingsChanged: one.changedSinceMs !== null && atMs - one.changedSinceMs >= CHANGED_FOR_MS,
    unseenSeconds: one.lastAtMs === null ? null : (atMs - one.lastAtMs) / 1000,
  };
  one.lastAtMs = atMs;
  return judgePrediction(prediction, seen);
}

/** A queue that was there and is gone was obliterated; one that was not found yet may still be. */
function gone({ prediction, first }: Watched, nowMs: number): ForecastVerdict {
  if (first !== null) return { status: 'void', reason: 'settings-changed' };
  return nowMs - prediction.madeAtMs > NOT_FOUND_MS
    ? { status: 'void', reason: 'not-watched' }
    : { status: 'open' };
}

/** Mean over the time that this process has looked; null: too short to say. */
function arrivalsSince({ first }: Watched, { readAtMs, addedTotal }: QueueState): number | null {
  const seconds = first ? (readAtMs - first.atMs) / 1000 : 0;
  return first && seconds >= 1 ? Math.max(0, addedTotal - first.addedTotal) / seconds : null;
}

function predictionIn({
  id: _id,
  verdict: _verdict,
  settledAtMs: _at,
  ...prediction
}: KeptPrediction): Prediction {
  return prediction;
}

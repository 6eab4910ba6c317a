import type { AuditLog } from '../model/audit-record.js';
import { judgeLimit, type LimitJudgement, RATE_SETTLE_MS } from '../model/rate-limit.js';
import type { QueueState } from '../model/snapshot.js';
import { readActiveIds } from '../redis/queue-control.js';
import type { Watch } from '../watch/watch.js';

/** A pause is looked at for this long: as long as most jobs of a busy worker take, and a person still waits for. */
const PAUSE_SETTLE_MS = 10_000;
/** Given up when the queue can't be read for so long. */
const GIVE_UP_MS = 60_000;
/** Changes of one console that are measured at a time; of a larger group the first, as they are alike. */
const MAX_AT_ONCE = 50;
/** Jobs in progress that are remembered; with more, nobody can say which one is new. */
const MAX_ACTIVE = 1_000;

interface MeasureDeps {
  readonly watch: Watch;
  readonly audit: AuditLog;
  readonly now: () => number;
  readonly warn: (message: string) => void;
}

/** A change that was made, to a queue as it was seen just before. */
interface ChangeMade {
  readonly auditId: string;
  readonly action: string;
  readonly instance: string;
  readonly queue: QueueState;
}

/**
 * Measures what a rate limit or a pause did in the seconds after it and adds that to its audit record. That a value stands
 * in Redis does not say that workers heed it: a global max replaces a worker's stricter one, and BullMQ before 5.9
 * ignores a pause. Driven by the watcher's ticks, so it leaves no timer behind. Other actions are not measured.
 */
export function measureAfter(deps: MeasureDeps, done: ChangeMade): void {
  const running = measuring.get(deps.watch) ?? 0;
  const measure = MEASURES[done.action];
  if (!measure || running >= MAX_AT_ONCE) return;
  measuring.set(deps.watch, running + 1);
  measure(deps, done, () => measuring.set(deps.watch, (measuring.get(deps.watch) ?? 1) - 1));
}

type Measure = (deps: MeasureDeps, done: ChangeMade, ended: () => void) => void;
const MEASURES: Readonly<Record<string, Measure>> = {
  'queue.pause': measurePause,
  'queue.rate-limit': measureLimit,
};
/** How many run, for each console: a test may hold several. */
const measuring = new WeakMap<Watch, number>();

/** Any job in progress that was not when the pause was made has been started against it. */
function measurePause(deps: MeasureDeps, done: ChangeMade, ended: () => void): void {
  const startedAtMs = deps.now();
  const link = deps.watch.link(done.instance);
  if (!link) {
    ended();
    return;
  }
  const read = () =>
    readActiveIds({ client: link.client, canFlagScripts: false, id: done.queue.id }, MAX_ACTIVE);
  const ran = read();
  // Its failure is handled where it is awaited; until then it must not end the process.
  ran.catch(() => undefined);
  let isBusy = false;
  let notPausedBySpillway = 0;
  const look = async (state: QueueState): Promise<LimitJudgement | null> => {
    const before = await ran;
    if (before.length >= MAX_ACTIVE) return { text: 'Too many jobs run to tell new ones.', isWarning: false };
    // No job runs, so none has started: nothing needs to be asked.
    const now = state.counts.active > 0 ? await read() : [];
    const known = new Set(before);
    const fresh = now.filter((jobId) => !known.has(jobId));
    if (fresh.length > 0) return broken(fresh.length, state);
    if (deps.now() - startedAtMs < PAUSE_SETTLE_MS) return null;
    return {
      text: `No job has started in the ${PAUSE_SETTLE_MS / 1000} s after the pause; ${state.counts.active} still run.`,
      isWarning: false,
    };
  };
  const stop = listen(deps.watch, done, ended, (ticked) => {
    if (ticked !== done.instance || isBusy) return;
    const state = stateOf(deps.watch, done);
    if (deps.now() - startedAtMs > GIVE_UP_MS) return stop();
    if (!state || state.readAtMs <= startedAtMs) return;
    // Resumed meanwhile, here or by the application: there is no pause to measure. Twice, as the first read may have been
    // on its way when the pause was made.
    notPausedBySpillway = state.pause === null || state.isPauseOverridden ? notPausedBySpillway + 1 : 0;
    if (notPausedBySpillway >= 2) return stop();
    if (notPausedBySpillway > 0) return;
    isBusy = true;
    look(state)
      .then(async (measurement) => {
        if (!measurement) return;
        stop();
        await keep(deps, done, measurement);
      })
      // Redis can't be asked now: the next tick tries again, until it is given up.
      .catch(() => undefined)
      .finally(() => {
        isBusy = false;
      });
  });
}

function broken(started: number, state: QueueState): LimitJudgement {
  const version =
    state.bullmqVersion === null ? '' : ` (this queue was last opened by ${state.bullmqVersion})`;
  return {
    text: `The pause does not hold: ${started} of the jobs in progress have started after it. Workers of a BullMQ before 5.9 ignore it${version}.`,
    isWarning: true,
  };
}

function measureLimit(deps: MeasureDeps, done: ChangeMade, ended: () => void): void {
  const startedAtMs = deps.now();
  let first: { readonly atMs: number; readonly departed: number } | null = null;
  let windowMs = 0;
  const stop = listen(deps.watch, done, ended, (ticked) => {
    if (ticked !== done.instance) return;
    const nowMs = deps.now();
    if (nowMs - startedAtMs > GIVE_UP_MS) return stop();
    const state = stateOf(deps.watch, done);
    if (!state || state.readAtMs <= startedAtMs) return;
    // The change began a new window, so one that is longer than the limit's is not left over from before.
    windowMs = Math.max(windowMs, state.rateLimitedForMs);
    const reading = { atMs: state.readAtMs, departed: state.addedTotal - state.unfinished };
    first ??= reading;
    if (reading.atMs - first.atMs < RATE_SETTLE_MS) return;
    stop();
    const measurement = judgeLimit({
      formerLimit: done.queue.rateLimit,
      formerPerSecond: done.queue.rates?.departuresPerSecond ?? null,
      limit: state.rateLimit,
      perSecond: ((reading.departed - first.departed) * 1000) / (reading.atMs - first.atMs),
      windowMs,
    });
    void keep(deps, done, measurement);
  });
}

/** Listens until stopped, and then says so once. */
function listen(
  watch: Watch,
  done: ChangeMade,
  ended: () => void,
  listener: (instance: string) => void,
): () => void {
  const stop = watch.onTick((ticked) => {
    // A queue in which nothing moves is otherwise read every ten seconds only.
    watch.refreshSoon(done.instance, done.queue.id);
    listener(ticked);
  });
  let isStopped = false;
  return () => {
    if (isStopped) return;
    isStopped = true;
    stop();
    ended();
  };
}

function stateOf(watch: Watch, done: ChangeMade): QueueState | null {
  return watch.snapshot(done.instance)?.queues.find((known) => known.id === done.queue.id) ?? null;
}

async function keep(deps: MeasureDeps, done: ChangeMade, measurement: LimitJudgement): Promise<void> {
  try {
    await deps.audit.addMeasurement(done.auditId, { atMs: deps.now(), ...measurement });
  } catch (error) {
    deps.warn(
      `the measurement after ${done.action} was not kept: ${error instanceof Error ? error.message : 'unknown reason'}`,
    );
  }
}

import { judgeLimit, type Measurement, RATE_SETTLE_MS } from '../model/judge-limit.js';
import { readActiveIds } from '../redis/queue-control.js';
import type { AuditLog } from '../store/audit-record.js';
import type { QueueState } from '../watch/snapshot.js';
import type { Watch } from '../watch/watch.js';

/** A halt is looked at for this long: as long as most jobs of a busy worker take, and a person still waits for. */
const HALT_SETTLE_MS = 10_000;
/** Given up when the queue can't be read for so long. */
const GIVE_UP_MS = 60_000;
/** Jobs in progress that are remembered; with more, it can't be told which one is new. */
const MOST_ACTIVE = 1_000;

export interface MeasureDeps {
  readonly watch: Watch;
  readonly audit: AuditLog;
  readonly now: () => number;
  readonly warn: (message: string) => void;
}

/** A change that was made, to a queue as it was seen just before. */
export interface Done {
  readonly auditId: string;
  readonly lever: string;
  readonly instance: string;
  readonly queue: QueueState;
}

/**
 * Measures what a rate limit or a halt did in the seconds after it and adds that to its audit record. That a value stands
 * in Redis does not say that workers heed it: a global max replaces a worker's stricter one, and BullMQ before 5.9
 * ignores a halt. Driven by the watcher's ticks, so it leaves no timer behind. Other levers are not measured.
 */
export function measureAfter(deps: MeasureDeps, done: Done): void {
  if (done.lever === 'queue.halt') measureHalt(deps, done);
  if (done.lever === 'queue.rate-limit') measureLimit(deps, done);
}

/** Any job in progress that was not when the halt was made has been started against it. */
function measureHalt(deps: MeasureDeps, done: Done): void {
  const startedAtMs = deps.now();
  const link = deps.watch.link(done.instance);
  if (!link) return;
  const read = () =>
    readActiveIds({ client: link.client, canFlagScripts: false, id: done.queue.id }, MOST_ACTIVE);
  const known = read();
  // Its failure is handled where it is awaited; until then it must not end the process.
  known.catch(() => undefined);
  let isBusy = false;
  const look = async (state: QueueState): Promise<Measurement | null> => {
    const before = await known;
    if (before.length >= MOST_ACTIVE)
      return { text: 'Too many jobs run to tell new ones.', isWarning: false };
    const fresh = (await read()).filter((jobId) => !before.includes(jobId));
    if (fresh.length > 0) return broken(fresh.length, state);
    if (deps.now() - startedAtMs < HALT_SETTLE_MS) return null;
    return {
      text: `No job has started in the ${HALT_SETTLE_MS / 1000} s after the halt; ${state.counts.active} still run.`,
      isWarning: false,
    };
  };
  const stop = deps.watch.onTick((ticked) => {
    if (ticked !== done.instance || isBusy) return;
    const state = stateOf(deps.watch, done);
    if (deps.now() - startedAtMs > GIVE_UP_MS) return stop();
    if (!state || state.readAtMs <= startedAtMs) return;
    // Resumed meanwhile, here or by the application: there is no halt to measure.
    if (state.halt === null || state.isHaltOverridden) return stop();
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

function broken(started: number, state: QueueState): Measurement {
  const version =
    state.bullmqVersion === null ? '' : ` (this queue was last opened by ${state.bullmqVersion})`;
  return {
    text: `The halt does not hold: ${started} of the jobs in progress have started after it. Workers of a BullMQ before 5.9 ignore it${version}.`,
    isWarning: true,
  };
}

function measureLimit(deps: MeasureDeps, done: Done): void {
  const startedAtMs = deps.now();
  let first: { readonly atMs: number; readonly departed: number } | null = null;
  let windowMs = 0;
  const stop = deps.watch.onTick((ticked) => {
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

function stateOf(watch: Watch, done: Done): QueueState | null {
  return watch.snapshot(done.instance)?.queues.find((known) => known.id === done.queue.id) ?? null;
}

async function keep(deps: MeasureDeps, done: Done, measurement: Measurement): Promise<void> {
  try {
    await deps.audit.addMeasurement(done.auditId, { atMs: deps.now(), ...measurement });
  } catch (error) {
    deps.warn(
      `the measurement after ${done.lever} was not kept: ${error instanceof Error ? error.message : 'unknown reason'}`,
    );
  }
}

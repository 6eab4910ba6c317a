import { formatRate } from '../model/format.js';
import type { AuditLog } from '../store/audit-record.js';
import type { QueueState } from '../watch/snapshot.js';
import type { Watch } from '../watch/watch.js';

/** The effect of a change shows in the rates of this many seconds after it. */
const SETTLE_MS = 10_000;
/** Given up when the queue can't be read for so long. */
const GIVE_UP_MS = 60_000;
/** A rate limit that lets this much more through than before has sped the queue up. */
const ROSE_RATIO = 1.2;

interface MeasureDeps {
  readonly watch: Watch;
  readonly audit: AuditLog;
  readonly now: () => number;
  readonly warn: (message: string) => void;
}

interface Departed {
  readonly atMs: number;
  readonly departed: number;
}

/**
 * Measures what a rate limit or a halt did in the ten seconds after it and adds that to its audit record: a limit that
 * made the queue faster (the global max replaces a worker's stricter one) and a halt that did not hold are warnings.
 * Driven by the watcher's ticks, so it leaves no timer behind.
 */
export function measureAfter(
  deps: MeasureDeps,
  auditId: string,
  lever: string,
  instance: string,
  queue: QueueState | null,
): void {
  if (queue === null || (lever !== 'queue.rate-limit' && lever !== 'queue.halt')) return;
  const startedAtMs = deps.now();
  let first: Departed | null = null;
  const stop = deps.watch.onTick((ticked) => {
    if (ticked !== instance) return;
    const nowMs = deps.now();
    const state = deps.watch.snapshot(instance)?.queues.find((known) => known.id === queue.id);
    if (!state || nowMs - startedAtMs > GIVE_UP_MS) return stop();
    if (state.readAtMs <= startedAtMs) return;
    const reading = { atMs: state.readAtMs, departed: state.addedTotal - state.unfinished };
    first ??= reading;
    if (reading.atMs - first.atMs < SETTLE_MS) return;
    stop();
    const perSecond = ((reading.departed - first.departed) * 1000) / (reading.atMs - first.atMs);
    const finding =
      lever === 'queue.halt' ? judgeHalt(state, perSecond) : judgeLimit(queue, state, perSecond);
    deps.audit.addMeasurement(auditId, { atMs: nowMs, ...finding }).catch((error: unknown) => {
      deps.warn(
        `the measurement after ${lever} was not kept: ${error instanceof Error ? error.message : 'unknown reason'}`,
      );
    });
  });
}

interface Measurement {
  readonly text: string;
  readonly isWarning: boolean;
}

function judgeHalt(now: QueueState, perSecond: number): Measurement {
  if (perSecond > 0 && now.counts.active > 0 && now.flow === 'halted') {
    return {
      text: `${formatRate(perSecond)} still left the queue in the 10 s after the halt, and ${now.counts.active} jobs run: either these began before it, or workers of a BullMQ before 5.10 ignore it.`,
      isWarning: now.counts.active > 0,
    };
  }
  return { text: 'No job has started in the 10 s after the halt.', isWarning: false };
}

function judgeLimit(before: QueueState, now: QueueState, perSecond: number): Measurement {
  const former = before.rates?.departuresPerSecond ?? 0;
  const text = `${formatRate(former)} left the queue before, ${formatRate(perSecond)} in the 10 s after.`;
  if (now.rateLimit && former > 0 && perSecond > former * ROSE_RATIO) {
    return {
      text: `${text} The limit made the queue faster: it replaces a stricter one in the workers’ own code.`,
      isWarning: true,
    };
  }
  const windowMs = now.observedLimiterMs;
  if (now.rateLimit && windowMs > now.rateLimit.durationMs * 1.05) {
    return {
      text: `${text} Workers count in windows of ${windowMs} ms of their own, so the limit means ${formatRate((now.rateLimit.max * 1000) / windowMs)}.`,
      isWarning: true,
    };
  }
  return { text, isWarning: false };
}

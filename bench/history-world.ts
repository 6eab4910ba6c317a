import { addPoint, noPoints, type Points } from '../server/history/points.js';
import type { QueueState } from '../server/model/snapshot.js';
import { type SeededRandom, seededRandom } from '../test/support/seeded-random.js';
import { aQueue, someMemory, someRates } from '../test/support/snapshot.js';

/**
 * Queues as they are found in one Redis: a fifth always has work, three tenths in working hours, half hardly ever. What
 * is noise in the world is noise here: rates, backlog, age, busy slots and memory of a busy queue change at every tick.
 */
export class HistoryWorld {
  readonly #random: SeededRandom;
  readonly #levels: readonly number[];

  constructor(queues: number, seed = 7) {
    this.#random = seededRandom(seed);
    this.#levels = Array.from({ length: queues }, () => 2 ** (this.#random.uniform() * 9));
  }

  get queues(): number {
    return this.#levels.length;
  }

  /** 0: quiet. 1: the queue's usual work. */
  activity(queue: number, atMs: number): number {
    const hour = (atMs / 3_600_000) % 24;
    const day = 1 + 0.5 * Math.sin(((hour - 9) / 24) * 2 * Math.PI);
    if (queue % 10 < 2) return day;
    if (queue % 10 < 5) return hour > 8 && hour < 18 ? day : 0;
    return this.#random.uniform() < 0.001 ? 0.2 : 0;
  }

  /** The queue as a tick finds it. */
  state(queue: number, atMs: number): QueueState {
    const v = this.values(queue, atMs);
    const id = idOf(queue);
    const whole = Math.round;
    return aQueue({
      id,
      name: id.slice(5),
      readAtMs: atMs,
      backlog: whole(v.backlog),
      counts: {
        waiting: whole(v.backlog),
        active: whole(v.active),
        delayed: whole(v.delayed),
        completed: 1_000,
        failed: whole(v.failed),
      },
      rates: someRates({ arrivalsPerSecond: v.arrivals, departuresPerSecond: v.departures }),
      oldestWaitingAtMs: v.backlog === 0 ? null : atMs - v.oldest * 1000,
      memory: someMemory({ totalBytes: v.memory }),
    });
  }

  values(queue: number, atMs: number) {
    const activity = this.activity(queue, atMs);
    const level = (this.#levels[queue] ?? 1) * activity;
    const noise = (share: number): number =>
      1 + share * (this.#random.uniform() + this.#random.uniform() - 1);
    const backlog = Math.floor(level * 20 * noise(0.4));
    return {
      backlog,
      active: Math.min(20, level * noise(0.5)),
      delayed: activity > 0 ? level * noise(0.1) : 0,
      failed: (atMs / 600_000) % 500,
      arrivals: level * noise(0.2),
      departures: level * noise(0.2),
      oldest: backlog === 0 ? 0 : 20 * noise(0.5),
      memory: 1_000_000 + backlog * 1_500 * noise(0.1),
      busy: Math.min(20, level * noise(0.5)),
    };
  }

  /** A stretch of all signals, each point the mean, least and largest of its ticks. */
  stretch(
    queue: number,
    signals: readonly string[],
    startMs: number,
    stepMs: number,
    length: number,
  ): readonly Points[] {
    const all = signals.map(() => noPoints(startMs, stepMs, length));
    for (let i = 0; i < length; i++) {
      const values = this.values(queue, startMs + i * stepMs);
      for (const [n, signal] of signals.entries()) {
        const points = all[n];
        if (!points) continue;
        const key = VALUE_OF[signal];
        const value = key === undefined ? (CONSTANTS[signal] ?? 0) : values[key];
        const spread = key === undefined || key === 'failed' || value === 0 ? 0 : 0.25;
        const below = spread === 0 ? 0 : spread * this.#random.uniform();
        const above = spread === 0 ? 0 : spread * this.#random.uniform();
        addPoint(points, i, value, value * (1 - below), value * (1 + above), stepMs / 1000);
      }
    }
    return all;
  }
}

export function idOf(queue: number): string {
  return `bull:queue-${queue}`;
}

const VALUE_OF: Readonly<Record<string, keyof ReturnType<HistoryWorld['values']>>> = {
  queue_backlog_jobs: 'backlog',
  queue_active_jobs: 'active',
  queue_delayed_jobs: 'delayed',
  queue_failed_jobs: 'failed',
  queue_arrivals_per_second: 'arrivals',
  queue_departures_per_second: 'departures',
  queue_oldest_waiting_seconds: 'oldest',
  queue_memory_bytes: 'memory',
  queue_worker_slots_busy: 'busy',
};
const CONSTANTS: Readonly<Record<string, number>> = {
  queue_completed_jobs: 1_000,
  queue_workers: 4,
  queue_worker_slots: 20,
};

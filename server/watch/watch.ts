/**
 * The watch: one poller for each Redis, and what its last reads say. It imports what is below (model, process, store, redis).
 * Begin with instance-watch.ts, one tick; then instance-reader.ts, what a tick reads in any case, and further-reads.ts, what
 * can wait; watched-queue.ts and watched-node.ts hold what is known of one; instance-agents.ts hears agents; judge-*.ts say
 * what it comes down to. This file is what others may ask.
 */

import type { Order, SignedOrder, WorkerAnswer } from '../../agent/protocol.js';
import type { Finding } from '../model/finding.js';
import type { JobDetail, JobPage, JobQuery } from '../model/job-view.js';
import { type CanaryAsk, CanaryRefused, type CanaryResult } from '../model/job-view.js';
import type { CountProgress } from '../model/memory.js';
import type { Acted, Snapshot } from '../model/snapshot.js';
import { sendCanary } from '../redis/canary.js';
import type { RedisLink } from '../redis/link.js';
import { queuesHoldingJob, readJobDetail, readJobPage } from '../redis/read-jobs.js';

/** The way from actions to the agents of one Redis. */
export interface AgentPort {
  /** Why orders can't be sent or their answers not be heard now; null: they can. */
  readonly problem: string | null;
  /** With this Redis's secret, where one is configured. */
  sign(order: Order): SignedOrder;
  /**
   * Publishes an order, signed and to the workers by name where there is a secret, and gathers the answers of the workers that are expected, until all have answered or the time is
   * over; who did not answer is not in the result. Redis accepts it over maxmemory and stores nothing.
   * @throws what Redis says when it can't be published.
   */
  send(
    queueId: string,
    order: Order,
    expected: readonly string[],
    withinMs: number,
  ): Promise<ReadonlyMap<string, WorkerAnswer>>;
  /** These are kept in Redis from now on: where there is a secret, workers that come later get them from the console. */
  noteGiven(orders: readonly Order[]): Promise<void>;
  /** These were kept and are not any more. @returns those that were noted, to be noted again where they are put back. */
  noteTakenAway(ids: readonly string[]): Promise<readonly Order[]>;
}

/** Points of one chart: `values[name][i]` belongs to `atMs[i]`; null is a gap (nothing was read). */
export interface Series {
  readonly atMs: readonly number[];
  readonly values: Readonly<Record<string, readonly (number | null)[]>>;
}

/** @param atMs time of the tick: what is judged in it has one moment, and so one beginning. */
export type TickListener = (instance: string, atMs: number) => void;

/**
 * The eye of the console: one poller per Redis whatever the number of viewers, and what the last reads said.
 * Everything that pages, API, SSE, metrics and actions know comes from here.
 */
export interface Watch {
  /** In configured order; an instance that was never reached is there too, with status `connecting` or `unreachable`. */
  snapshots(): readonly Snapshot[];
  snapshot(instance: string): Snapshot | null;
  /** All findings of all instances, ranked: worst first. */
  findings(): readonly Finding[];
  /** Last minutes of an instance: `usedBytes`, `limitBytes`, `opsPerSecond`, `arrivalsPerSecond`, `departuresPerSecond`, `backlog`. */
  instanceSeries(instance: string): Series;
  /** Last minutes of a queue: `backlog`, `active`, `failed`, `arrivalsPerSecond`, `departuresPerSecond`. */
  queueSeries(instance: string, queueId: string): Series;
  /** Last half hour of a worker, as its agent says: `running`, `finishedPerSecond`; null: no agent says any. */
  workerSeries(instance: string, workerId: string): Series | null;
  /** Connection that actions write through. */
  link(instance: string): RedisLink | null;
  /** The way to the agents of an instance. */
  agents(instance: string): AgentPort | null;
  /**
   * Called after each tick of any instance, failed ones too. Returns the unsubscribe.
   * @param part what the listener is, for the case that it throws: that stops neither others nor later ticks.
   */
  onTick(listener: TickListener, part?: string): () => void;
  /** Jobs were taken out of a queue and not done, or put back (less than 0): they are no throughput. */
  noteTaken(instance: string, queueId: string, jobs: number): void;
  /** Reads this queue at the next tick whatever its turn: after an action, or while someone looks at it. */
  refreshSoon(instance: string, queueId: string): void;
  /**
   * An action changed something: the next tick comes at once and reads that queue (null: the instance alone was changed), and
   * the Snapshot says that it settles, and for some minutes what was done.
   */
  noteAction(instance: string, done: Omit<Acted, 'atMs'>): void;
  /** What the audit holds of the last minutes, of this console and of others on the store: a part of the next Snapshots. */
  noteAudited(instance: string, audited: readonly Acted[]): void;
  /** So many bytes of jobs can be parked on the console's disk; 0: none. What was never said is taken for enough. */
  noteParkingSpace(bytes: number): void;
  /**
   * A worker that is gone is not missed any more.
   * @returns null: no such worker is missed; false: it could not be kept, so that it is missed again after a restart.
   */
  dismissWorker(instance: string, workerId: string): Promise<boolean | null>;
  /** A loss of data that was found until then is known, and shown no more. */
  dismissLoss(instance: string, untilMs: number): void;
  /**
   * Counts every job of a queue, a little in each tick.
   * @param isDryRun checks whether it could, and counts nothing.
   * @throws CountRefused while one runs, or where it is not permitted.
   */
  startCount(instance: string, queueId: string, isDryRun?: boolean): CountProgress;
  /** Ends a count that runs. null: none was ever asked for. */
  stopCount(instance: string, queueId: string): CountProgress | null;
  stop(): Promise<void>;
}

/** Raised when the Redis that holds the jobs can't be asked now. */
export class JobsUnavailable extends Error {
  constructor(instance: string, cause: unknown) {
    super(
      `jobs of ${instance} can't be read now: ${cause instanceof Error ? cause.message : 'no connection'}`,
    );
    this.name = 'JobsUnavailable';
  }
}

/** One page of a queue's jobs, read from Redis on demand. @throws JobsUnavailable */
export async function listJobs(
  watch: Watch,
  instance: string,
  queueId: string,
  query: JobQuery,
): Promise<JobPage> {
  return asking(watch, instance, (link) => readJobPage(link, queueId, query));
}

/** One job with all it holds; null where there is none. @throws JobsUnavailable */
export async function readJob(
  watch: Watch,
  instance: string,
  queueId: string,
  jobId: string,
): Promise<JobDetail | null> {
  return asking(watch, instance, (link) => readJobDetail(link, queueId, jobId));
}

/** Queues of one Redis that a job id is looked for in: under 1 ms of Redis. */
const MAX_QUEUES_ASKED = 1_000;

/** Where a job of that id is, and how many queues were not asked: beyond the bound, or of a Redis that can't be asked now. */
export interface JobPlaces {
  readonly places: readonly { readonly instance: string; readonly queue: string }[];
  readonly unasked: number;
}

/** Looks a job id up in all queues, those with most unfinished jobs first. Never throws for a Redis that can't be asked. */
export async function findJob(watch: Watch, jobId: string): Promise<JobPlaces> {
  const found = await Promise.all(
    watch.snapshots().map(async ({ instance, queues }): Promise<JobPlaces> => {
      const asked = queues
        .toSorted((a, b) => b.unfinished - a.unfinished)
        .slice(0, MAX_QUEUES_ASKED)
        .map(({ id }) => id);
      try {
        const holding = await asking(watch, instance, ({ client }) => queuesHoldingJob(client, asked, jobId));
        const places = holding.map((queue) => ({ instance, queue }));
        return { places, unasked: queues.length - asked.length };
      } catch (error) {
        if (!(error instanceof JobsUnavailable)) throw error;
        return { places: [], unasked: queues.length };
      }
    }),
  );
  return {
    places: found.flatMap(({ places }) => places),
    unasked: found.reduce((sum, { unasked }) => sum + unasked, 0),
  };
}

/** Sends a canary job through a queue of an instance. @throws CanaryRefused, JobsUnavailable */
export async function probeQueue(
  watch: Watch,
  instance: string,
  queueId: string,
  ask: CanaryAsk,
): Promise<CanaryResult> {
  return asking(watch, instance, (link) => sendCanary(link, queueId, ask));
}

async function asking<T>(watch: Watch, instance: string, ask: (link: RedisLink) => Promise<T>): Promise<T> {
  const link = watch.link(instance);
  if (!link) throw new JobsUnavailable(instance, new Error('no such instance'));
  try {
    return await ask(link);
  } catch (error) {
    if (error instanceof CanaryRefused) throw error;
    throw new JobsUnavailable(instance, error);
  }
}

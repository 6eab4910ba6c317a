import { type Containment, within } from './contain.js';
import type { WorkerBeat, WorkerLimiter } from './protocol.js';

/**
 * What the agent needs of a BullMQ Worker, of version 5 and 6 alike. The public part is typed here and not imported, so
 * that a worker of either version fits; what is not public is looked for and done without where it is not there.
 */
export interface AttachableWorker {
  readonly name: string;
  readonly opts: object;
  concurrency: number;
  pause(doNotWaitActive?: boolean): Promise<void>;
  resume(): unknown;
  isPaused(): boolean;
  isRunning(): boolean;
}

export interface ShapeOfJob {
  readonly id?: string | undefined;
  readonly name: string;
  readonly timestamp?: number;
  readonly delay?: number;
  readonly processedOn?: number | undefined;
  readonly attemptsStarted?: number;
}

type Processor = (this: unknown, job: ShapeOfJob, token?: string, signal?: unknown) => unknown;

interface ShapeOfOptions {
  readonly prefix?: string;
  readonly name?: string;
  readonly connection?: unknown;
  limiter?: { readonly max: number; readonly duration: number } | undefined;
}

/** An ioredis client as BullMQ holds it, bare (v5) or in its wrapping (v6); of a Cluster with its nodes. */
export interface ShapeOfClient {
  readonly status?: string;
  readonly isCluster?: boolean;
  readonly stream?: { readonly localAddress?: string; readonly localPort?: number; destroy?(): void };
  nodes?(role: string): readonly ShapeOfClient[];
  connect?(): Promise<unknown>;
  ping?(): Promise<unknown>;
}

interface ShapeOfConnection {
  readonly _client?: ShapeOfClient;
}

/** What is there at run time in the versions that were looked at (5.81.5, 6.7.0); every part may be missing. */
interface WorkerInside {
  readonly id?: string;
  readonly opts: ShapeOfOptions;
  on(event: string, listener: (argument: unknown) => void): unknown;
  off(event: string, listener: (argument: unknown) => void): unknown;
  listenerCount(event: string): number;
  processFn?: Processor;
  readonly closing?: unknown;
  readonly limitUntil?: number;
  /** v6: what the main loop waits on; a promise that is put there makes it look again. */
  readonly mainLoopQueue?: { add(promise: Promise<undefined>): void } | null;
  /** v5 */
  readonly client?: Promise<unknown>;
  readonly blockingConnection?: ShapeOfConnection;
  readonly connection?: ShapeOfConnection;
  readonly scripts?: { readonly version?: string };
  /** v6 */
  readonly backend?: {
    readonly client?: Promise<unknown>;
    readonly blockingConnection?: ShapeOfConnection;
    readonly connection?: ShapeOfConnection;
    readonly version?: string;
    /** Of the PostgreSQL backend alone. */
    readonly schema?: unknown;
  };
}

export function insideOf(worker: AttachableWorker): WorkerInside {
  return worker as unknown as WorkerInside;
}

/** `<prefix>:<name>` */
export function queueIdOfWorker(worker: AttachableWorker): string {
  return `${insideOf(worker).opts.prefix ?? 'bull'}:${worker.name}`;
}

/** e.g. 6.7.0; null where it can't be seen. */
export function bullmqVersionOf(worker: AttachableWorker): string | null {
  const inside = insideOf(worker);
  return inside.backend?.version ?? inside.scripts?.version ?? null;
}

/** The clients on which it waits for jobs and does everything else; null where they can't be seen. */
export function clientsOf(worker: AttachableWorker): {
  readonly blocking: ShapeOfClient | null;
  readonly main: ShapeOfClient | null;
} {
  const inside = insideOf(worker);
  const { blockingConnection, connection } = inside.backend ?? inside;
  return { blocking: blockingConnection?._client ?? null, main: connection?._client ?? null };
}

/** host:port of the local end of the connection on which it waits for jobs; null where it can't be seen. */
export function blockingAddressOf(worker: AttachableWorker): string | null {
  const { localAddress, localPort } = clientsOf(worker).blocking?.stream ?? {};
  if (localAddress === undefined || localPort === undefined) return null;
  return `${localAddress.replace(/^::ffff:/, '')}:${localPort}`;
}

/** BullMQ's own id of the worker: the value of a job's lock is `<id>:<count>`. */
export function lockTokenOf(worker: AttachableWorker): string | null {
  return insideOf(worker).id ?? null;
}

/** The client that the worker itself uses, once it is connected. */
export async function clientOf(worker: AttachableWorker): Promise<unknown> {
  const inside = insideOf(worker);
  return await (inside.backend?.client ?? inside.client);
}

/** BullMQ 6 can keep queues in PostgreSQL; such a backend has a schema there. */
export function isPostgres(worker: AttachableWorker): boolean {
  const { backend } = insideOf(worker);
  return backend !== undefined && typeof backend.schema === 'string';
}

/** Makes a loop whose slots are all busy look for jobs again, so that a raise counts at once. v5 has no way to be asked: it looks when the next job ends. */
export function wakeMainLoop(worker: AttachableWorker): void {
  insideOf(worker).mainLoopQueue?.add(Promise.resolve(undefined));
}

/** The limiter of one worker: as it was deployed, as it is, and as orders want it. */
export class LimiterSetting {
  readonly #worker: AttachableWorker;
  readonly deployed: WorkerLimiter | null;
  #isOrdered = false;

  constructor(worker: AttachableWorker) {
    this.#worker = worker;
    this.deployed = this.now;
  }

  get now(): WorkerLimiter | null {
    const { limiter } = insideOf(this.#worker).opts;
    return limiter ? { max: limiter.max, durationMs: limiter.duration } : null;
  }

  /** @param wanted null: as deployed, which is left alone where nothing was ever ordered. */
  set(wanted: WorkerLimiter | 'none' | null): void {
    if (wanted === null && !this.#isOrdered) return;
    this.#isOrdered = wanted !== null;
    const limiter = wanted === 'none' ? null : (wanted ?? this.deployed);
    // BullMQ reads the option anew each time it takes a job.
    insideOf(this.#worker).opts.limiter =
      limiter === null ? undefined : { max: limiter.max, duration: limiter.durationMs };
  }
}

/** An idle worker has stopped waiting within milliseconds; one that has just taken a job is not waited for longer. */
const PAUSE_WITHIN_MS = 1_000;

/** The agent's pause of one worker, beside that of the application, which is left to it. */
export class WorkerPause {
  readonly #worker: AttachableWorker;
  readonly #running: () => number;
  readonly #contain: Containment;
  #by: 'order' | 'guard' | null = null;
  #pausing: Promise<void> = Promise.resolve();
  #isResuming = false;

  /** @param running jobs that the worker has in hand. */
  constructor(worker: AttachableWorker, running: () => number, contain: Containment) {
    this.#worker = worker;
    this.#running = running;
    this.#contain = contain;
  }

  /** The agent has paused it, not the application. */
  get isOwn(): boolean {
    return this.#by !== null;
  }

  /** Who has paused it; null: it runs. */
  get pausedBy(): WorkerBeat['paused'] {
    if (!this.#worker.isPaused() || this.#isResuming) return null;
    return this.#by ?? 'application';
  }

  pause(by: 'order' | 'guard'): void {
    if (this.#worker.isPaused()) {
      if (this.isOwn) this.#by = by;
      return;
    }
    this.#by = by;
    // true: jobs in hand go on and are not waited for. An idle worker would still take the job that it is waiting for (seen
    // with 5.81 and 6.7); with false it stops waiting, which is done at once as it has nothing in hand.
    this.#pausing = this.#worker
      .pause(by === 'guard' || this.#running() > 0)
      .catch((error: unknown) => this.#contain.failed('pausing', error));
  }

  resume(): void {
    this.#by = null;
    if (!this.#worker.isPaused()) return;
    // While it stops waiting its connection is being renewed; resumed in the middle of that it would wait on a closed one.
    this.#isResuming = true;
    this.#contain.run('resuming', async () => {
      try {
        await within(PAUSE_WITHIN_MS, this.#pausing).catch(() => undefined);
        if (!this.isOwn) await this.#worker.resume();
      } finally {
        this.#isResuming = false;
      }
    });
  }
}

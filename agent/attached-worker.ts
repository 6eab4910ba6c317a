import { randomUUID } from 'node:crypto';
import { type Containment, messageOf, type Report } from './contain.js';
import { OomGuard } from './oom-guard.js';
import { type CheckedOptions, DEFAULT_MAX_CONCURRENCY } from './options.js';
import { AgentOverrides } from './overrides.js';
import type { Order, WorkerAnswer, WorkerBeat } from './protocol.js';
import { type Reconnected, reconnect } from './reconnect.js';
import { type ErrorKind, errorKindOf, RunLog } from './run-log.js';
import {
  type AttachableWorker,
  blockingAddressOf,
  bullmqVersionOf,
  insideOf,
  LimiterSetting,
  lockTokenOf,
  queueIdOfWorker,
  WorkerPause,
  wakeMainLoop,
} from './worker-shape.js';

const NO_ERRORS: Readonly<Record<ErrorKind, number>> = { oom: 0, connection: 0, lock: 0, other: 0 };
/** A timer holds at most so long. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** A worker as it is now; times by performance.now(). */
export interface WorkerLook {
  readonly queueId: string;
  readonly name: string | null;
  readonly isClosing: boolean;
  readonly isRunning: boolean;
  readonly pausedBy: WorkerBeat['paused'];
  /** Redis is full and refuses it. */
  readonly isBlocked: boolean;
  readonly isRateLimited: boolean;
  readonly slots: number;
  readonly running: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly oldestAt: number | null;
}

interface AttachedEvents {
  /** Redis has begun to refuse it: somebody has to find out when that ends. */
  readonly onBlocked: () => void;
  readonly onClosed: () => void;
}

/**
 * One worker as the agent sees and moves it: from around its processor (run times, what runs now), and by its events
 * (errors, closing).
 */
export class AttachedWorker {
  readonly id = randomUUID();
  readonly queueId: string;
  readonly secret: string | null;
  readonly #worker: AttachableWorker;
  readonly #options: CheckedOptions;
  readonly #contain: Containment;
  readonly #events: AttachedEvents;
  readonly #host: string;
  readonly #attachedAtMs = Date.now();
  readonly #orders: AgentOverrides;
  readonly #guard: OomGuard;
  readonly #runs: RunLog;
  #errors: Record<ErrorKind, number> = { ...NO_ERRORS };
  #deployedConcurrency: number;
  /** What the agent set last; anything else was set by the application. */
  #setConcurrency: number;
  readonly #maxConcurrency: number;
  readonly #limiter: LimiterSetting;
  readonly #pause: WorkerPause;
  #isClosing = false;
  #isDetached = false;
  #reconnecting: Promise<Reconnected> | null = null;
  #endTimer: NodeJS.Timeout | undefined;
  readonly #restore: readonly (() => void)[];

  constructor(
    worker: AttachableWorker,
    options: CheckedOptions,
    host: string,
    contain: Containment,
    events: AttachedEvents,
  ) {
    this.#worker = worker;
    this.#options = options;
    this.#contain = contain;
    this.#events = events;
    this.#host = host;
    this.queueId = queueIdOfWorker(worker);
    this.secret = options.secret;
    this.#deployedConcurrency = worker.concurrency;
    this.#setConcurrency = worker.concurrency;
    this.#limiter = new LimiterSetting(worker);
    this.#maxConcurrency =
      options.maxConcurrency ?? Math.max(DEFAULT_MAX_CONCURRENCY, this.#deployedConcurrency);
    this.#orders = new AgentOverrides(
      this.key === null ? [this.id] : [this.id, this.key],
      { maxConcurrency: this.#maxConcurrency, isDefault: options.maxConcurrency === null },
      () => ({ concurrency: this.#deployedConcurrency, limiter: this.#limiter.deployed }),
    );
    this.#runs = new RunLog(worker, contain);
    this.#pause = new WorkerPause(worker, () => this.#runs.running, contain);
    this.#guard = new OomGuard({
      running: () => this.#runs.running,
      narrowTo: (slots) => this.#setSlots(Math.min(slots, this.#worker.concurrency)),
      stop: () => this.#pause.pause('guard'),
      release: () => this.#settle(),
    });
    this.#restore = [this.#runs.begin(), this.#listen()];
  }

  get onProblem(): Report {
    return this.#options.onProblem;
  }

  get key(): string | null {
    return this.#options.name === null ? null : `${this.#options.name}@${this.#host}`;
  }

  get isBlocked(): boolean {
    return this.#guard.state !== 'idle';
  }

  /** What says whether its work goes on. */
  look(): WorkerLook {
    const inside = insideOf(this.#worker);
    return {
      queueId: this.queueId,
      name: this.#options.name,
      isClosing: this.#isClosing || inside.closing !== undefined,
      isRunning: this.#worker.isRunning(),
      pausedBy: this.#pause.pausedBy,
      isBlocked: this.isBlocked,
      isRateLimited: (inside.limitUntil ?? 0) > Date.now(),
      slots: this.#worker.concurrency,
      running: this.#runs.running,
      ...this.#runs.times,
    };
  }

  /** Redis takes writes again. */
  relieved(): void {
    if (!this.#isDetached) this.#guard.relieved();
  }

  /** Is this order meant for this worker, live? One that is given again only within what it is kept under. */
  isMeant(order: Order): boolean {
    if (order.queue !== this.queueId || (order.nonce !== undefined && !this.#orders.isMeant(order)))
      return false;
    return order.workers === null || order.workers.includes(this.id);
  }

  obey(order: Order): WorkerAnswer {
    // One worker's order may be kept under a name that its twin has too: live it is for those it names.
    const wasBusy = this.#runs.running >= this.#worker.concurrency;
    const scope = order.workers === null || this.#orders.isMeant(order) ? order.scope : this.id;
    const goBack = this.#orders.hold();
    const refusal = this.#orders.take({ ...order, scope }, performance.now());
    const failure = refusal === null ? this.#follow(order) : null;
    if (failure !== null) {
      // Half of it may be done; what held before goes on.
      goBack();
      this.#settle();
    }
    const why = refusal ?? failure;
    return this.#answer(why === null ? 'applied' : 'refused', why ?? this.#noteOn(order, wasBusy));
  }

  /** Gives it new connections and waits for a job, unless it is kept from taking any. Never rejects. */
  async reconnect(): Promise<WorkerAnswer> {
    const { pausedBy } = this.#pause;
    if (this.#isClosing || this.#isDetached) return this.#answer('refused', 'it is closing');
    if (pausedBy === 'guard')
      return this.#answer('refused', 'its guard has stopped it because Redis is full: make room first');
    if (pausedBy !== null) return this.#answer('refused', 'it is paused: resume it instead');
    const before = this.#runs.started;
    // One at a time: who asks meanwhile gets the same answer.
    this.#reconnecting ??= reconnect(this.#worker, () => this.#runs.started > before).finally(() => {
      this.#reconnecting = null;
    });
    const { tookJob, note } = await this.#reconnecting;
    return { ...this.#answer('applied', note), tookJob };
  }

  #answer(result: WorkerAnswer['result'], note: string | null): WorkerAnswer {
    return {
      id: this.id,
      result,
      note,
      concurrency: this.#concurrency,
      paused: this.#pause.pausedBy,
      limiter: this.#limiter.now,
    };
  }

  /** @returns why the worker itself does not take it; null: it does. */
  #follow(order: Order): string | null {
    try {
      // Resuming is also asked for where the application itself has paused it.
      if (order.setting === 'paused' && order.value === false && !this.#pause.isOwn) this.#pause.resume();
      this.#settleNow();
      return null;
    } catch (error) {
      return `the worker does not take it: ${messageOf(error)}`;
    }
  }

  /** @param askedAt when they were asked for, by performance.now(). */
  takeKept(orders: readonly Order[], askedAt: number): void {
    this.#orders.takeKept(orders, askedAt, performance.now(), this.secret === null);
    this.#settle();
  }

  /** What it has to report, and the way to report it again with the next beat. */
  beat(nowMs: number): { readonly beat: WorkerBeat; readonly giveBack: () => void } {
    const runs = this.#runs.take(nowMs);
    const errors = this.#errors;
    this.#errors = { ...NO_ERRORS };
    const inside = insideOf(this.#worker);
    return {
      beat: {
        id: this.id,
        queue: this.queueId,
        name: this.#options.name,
        key: this.key,
        labels: this.#options.labels,
        bullmqVersion: bullmqVersionOf(this.#worker),
        attachedAtMs: this.#attachedAtMs,
        concurrency: { deployed: this.#deployed(), now: this.#concurrency },
        maxConcurrency: this.#maxConcurrency,
        paused: this.#pause.pausedBy,
        isClosing: this.#isClosing || inside.closing !== undefined,
        asksForOrders: this.secret !== null,
        limiter: { deployed: this.#limiter.deployed, now: this.#limiter.now },
        isRateLimited: (inside.limitUntil ?? 0) > nowMs,
        ...runs.part,
        errors,
        guard: { sinceMs: this.#guard.sinceMs, times: this.#guard.times },
        orders: this.#orders.inForce(nowMs),
        lockToken: lockTokenOf(this.#worker),
        address: blockingAddressOf(this.#worker),
      },
      giveBack: () => {
        runs.giveBack();
        for (const kind of Object.keys(errors) as ErrorKind[]) this.#errors[kind] += errors[kind];
      },
    };
  }

  /** Puts back everything as it was deployed. */
  detach(): void {
    if (this.#isDetached) return;
    this.#isDetached = true;
    clearTimeout(this.#endTimer);
    for (const restore of this.#restore) restore();
    if (this.#isClosing) return;
    this.#setSlots(this.#deployed());
    this.#limiter.set(null);
    if (this.#pause.isOwn) this.#pause.resume();
  }

  /** For timers and events: what a worker does not take must not end its process. */
  #settle(): void {
    this.#contain.run(`following orders on ${this.#worker.name}`, () => this.#settleNow());
  }

  /** Makes the worker be as its orders want it; the guard's hold goes before. */
  #settleNow(): void {
    if (this.#isDetached || this.#isClosing) return;
    const nowMs = Date.now();
    const wanted = this.#orders.wanted(nowMs);
    this.#limiter.set(wanted.limiter);
    // Narrowed, it keeps to its busy slots until there is room; stopped, it takes nothing anyway.
    if (this.#guard.state !== 'narrowed') this.#setSlots(wanted.concurrency ?? this.#deployed());
    if (this.#guard.state === 'idle') {
      if (wanted.paused === true) this.#pause.pause('order');
      else if (this.#pause.isOwn) this.#pause.resume();
    }
    clearTimeout(this.#endTimer);
    if (wanted.nextEndMs === null) return;
    const inMs = Math.min(wanted.nextEndMs - nowMs + 5, MAX_TIMER_MS);
    this.#endTimer = this.#contain.after(inMs, 'the end of an order', () => this.#settle());
  }

  /** A concurrency that the agent did not set is the application's own, and counts as deployed from then on. */
  #deployed(): number {
    const now = this.#worker.concurrency;
    if (now !== this.#setConcurrency) {
      this.#deployedConcurrency = now;
      this.#setConcurrency = now;
    }
    return this.#deployedConcurrency;
  }

  /** While the guard has narrowed it, what it will be again. */
  get #concurrency(): number {
    if (this.#guard.state !== 'narrowed') return this.#worker.concurrency;
    return this.#orders.wanted(Date.now()).concurrency ?? this.#deployedConcurrency;
  }

  #setSlots(slots: number): void {
    this.#deployed();
    const before = this.#worker.concurrency;
    if (slots === before) return;
    this.#worker.concurrency = slots;
    this.#setConcurrency = slots;
    if (slots > before) wakeMainLoop(this.#worker);
  }

  #noteOn(order: Order, wasBusy: boolean): string | null {
    if (order.setting === 'paused' && order.value === true && this.#runs.running > 0)
      return `it finishes the ${this.#runs.running} in hand; one that it is just taking may still start`;
    if (order.setting !== 'concurrency' || !wasBusy) return null;
    const canBeWoken = insideOf(this.#worker).mainLoopQueue !== undefined;
    return canBeWoken ? null : 'all slots are busy: BullMQ 5 takes a raise up when the next job ends';
  }

  /** Listens; returns the way back. Standing around `emit` itself would slow every job down by 2 µs (seen with 24,000 a second). */
  #listen(): () => void {
    const inside = insideOf(this.#worker);
    const listeners = {
      error: this.#contain.listener('an error', (error: unknown) => this.#agentMessageError(error)),
      closing: this.#contain.listener('closing', () => {
        this.#isClosing = true;
      }),
      closed: this.#contain.listener('closing', () => this.#events.onClosed()),
    };
    for (const [event, listener] of Object.entries(listeners)) inside.on(event, listener);
    return () => {
      for (const [event, listener] of Object.entries(listeners)) inside.off(event, listener);
    };
  }

  #agentMessageError(error: unknown): void {
    // Where nobody listens BullMQ prints it; with the agent as the only listener that must not get lost.
    if (insideOf(this.#worker).listenerCount('error') === 1) console.error(error);
    const kind = errorKindOf(error);
    this.#errors[kind] += 1;
    if (kind === 'oom' && !this.#isClosing && this.#guard.refused(performance.now(), Date.now()))
      this.#events.onBlocked();
  }
}

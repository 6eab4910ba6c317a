import { ActionError } from '../model/action.js';
import type { AuditLog } from '../model/audit-record.js';
import type { Actor } from '../model/role.js';
import type { Snapshot } from '../model/snapshot.js';
import type { RecordEvent } from '../model/timeline-entry.js';
import { every, reasonOf, type WorkHealth } from '../process/every.js';
import type { Watch } from '../watch/watch.js';
import { type DryRun, dryRun, dryRunParked, NOTHING_PARKED } from './dry-run.js';
import { LoadSampler } from './load-sample.js';
import type { MovedJobs } from './moved-rate.js';
import { MovedRate } from './moved-rate.js';
import { newRecord } from './new-record.js';
import { orderReplay } from './order-replay.js';
import type { ParkedSource } from './parked-source.js';
import { outcomesWith } from './read-outcomes.js';
import { accountOf } from './replay-account.js';
import { ReplayConnections } from './replay-connections.js';
import { ReplayLog, withoutJobData } from './replay-log.js';
import { hasEnded, type ReplayRecord, type ReplayStore } from './replay-record.js';
import type { OrderOutcome, ReplayOrder } from './replay-request.js';
import {
  checkFilter,
  isSelected,
  queuesOf,
  type ReplayRequest,
  type ReplaySelection,
} from './replay-request.js';
import { ReplayRun } from './replay-run.js';
import { type ReplayView, viewOfReplay } from './replay-view.js';
import type { RunDeps } from './run-deps.js';

/** Replays under way at once. */
const MAX_RUNNING = 20;
const SETTLE_EVERY_MS = 250;
/** Outcomes of an ended replay are looked up less often, and for a day. */
const ENDED_EVERY_TURNS = 8;
const WATCH_ENDED_MS = 24 * 3_600_000;
const PRUNE_EVERY_TURNS = 4 * 60 * 10;

export interface ReplaysDeps {
  readonly watch: Pick<Watch, 'snapshot' | 'link'>;
  readonly store: ReplayStore;
  readonly audit: AuditLog;
  readonly parked: ParkedSource | null;
  readonly moved: MovedJobs;
  /** Of several consoles, is it this one that moves jobs? Left out: there are no others. */
  readonly isLeader?: () => boolean;
  readonly tell: RecordEvent;
  readonly now: () => number;
  readonly newId: () => string;
  readonly warn: (message: string) => void;
}

/** All replays, where they are run: begins them, takes orders, and goes on with them after a restart. */
export class Replays {
  readonly #deps: ReplaysDeps;
  readonly #log: ReplayLog;
  readonly #runs = new Map<string, ReplayRun>();
  readonly #rates = new Map<string, MovedRate>();
  readonly #connections: ReplayConnections;
  readonly #loop = every(
    SETTLE_EVERY_MS,
    () => this.#settle(),
    (error) => this.#deps.warn(`outcomes of replays: ${reasonOf(error)}`),
  );
  #turns = 0;

  constructor(deps: ReplaysDeps) {
    this.#deps = deps;
    this.#log = new ReplayLog(deps);
    this.#connections = new ReplayConnections(deps.watch, (instance) => {
      for (const run of this.#runs.values()) if (run.record.instance === instance) run.noteBreak();
    });
  }

  /** Reads what is kept and goes on with what was running. */
  async open(): Promise<void> {
    for (const record of await this.#deps.store.list()) {
      const run = this.#hold(record);
      // How the last process ended is not known: what is swept once more is found once more at most.
      if (!hasEnded(record)) run.noteBreak();
      run.start();
    }
    this.#loop.start();
  }

  /** Newest first. */
  list(): readonly ReplayView[] {
    return [...this.#runs.values()]
      .map((run) => this.#viewOf(run))
      .sort((a, b) => b.record.createdAtMs - a.record.createdAtMs || (a.record.id < b.record.id ? 1 : -1));
  }

  get(id: string): ReplayView | null {
    const run = this.#runs.get(id);
    return run ? this.#viewOf(run) : null;
  }

  /** What a replay would take. @throws ActionError */
  async dryRun(request: ReplayRequest): Promise<DryRun> {
    const snapshot = this.#snapshotOf(request.instance);
    checkFilter(request.spec);
    const record = { spec: request.spec, cutoffMs: this.#deps.now(), queues: queuesOf(snapshot, request) };
    if (request.spec.from === 'parked')
      return dryRunParked(this.#deps.parked, { ...record, instance: request.instance }, this.#deps.now);
    const client = await this.#connections.whenReady(request.instance, this.#deps.now);
    if (!client) throw new ActionError('unreachable', `Redis ${request.instance} does not answer now`);
    return dryRun(client, record, this.#deps.now);
  }

  /** Begins a replay. On disk before it is answered for. @throws ActionError */
  async begin(actor: Actor, request: ReplayRequest): Promise<ReplayView> {
    const { spec, instance } = request;
    const snapshot = this.#snapshotOf(instance);
    checkFilter(spec);
    const queues = queuesOf(snapshot, request);
    if (spec.from === 'parked' && this.#deps.parked === null)
      throw new ActionError('unavailable', NOTHING_PARKED);
    const running = [...this.#runs.values()].filter(({ record }) => !hasEnded(record)).length;
    if (running >= MAX_RUNNING)
      throw new ActionError('unavailable', `${running} replays are under way: end one before another begins`);
    const { now, newId } = this.#deps;
    const record = newRecord(newId(), actor, request, queues, snapshot, now());
    await this.#deps.store.save(record);
    await this.#log.audit(actor, 'start', record, spec.reason, {
      ...spec,
      filter: withoutJobData(spec.filter),
      queues: queues.join(', '),
    });
    const run = this.#hold(record);
    run.start();
    this.#log.tell(
      'started',
      record,
      `${actor.name} replays ${spec.from} jobs of ${queues.join(', ')}: ${spec.reason}`,
    );
    return this.#viewOf(run);
  }

  /** @throws ActionError when there is no such replay, or it has ended. */
  async change(actor: Actor, id: string, order: ReplayOrder): Promise<OrderOutcome> {
    const run = this.#runs.get(id);
    if (!run) throw new ActionError('not-found', `there is no replay ${id.slice(0, 100)}`);
    if (hasEnded(run.record))
      throw new ActionError('unavailable', `this replay is ${run.record.state}: begin another one`);
    const outcome = await orderReplay(this.#log, actor, run, order, false);
    if (outcome.status === 'refused' || outcome.status === 'failed')
      throw new ActionError('unavailable', outcome.summary);
    return outcome;
  }

  /** The same for all that are under way and match; an outcome for each. */
  async changeAll(
    actor: Actor,
    selection: ReplaySelection,
    order: ReplayOrder,
    isDryRun: boolean,
  ): Promise<readonly OrderOutcome[]> {
    const chosen = [...this.#runs.values()].filter(
      ({ record }) => !hasEnded(record) && isSelected(record, selection),
    );
    return Promise.all(chosen.map((run) => orderReplay(this.#log, actor, run, order, isDryRun)));
  }

  /** Forgets a replay that has ended. @throws ActionError */
  async remove(actor: Actor, id: string, reason: string): Promise<void> {
    const run = this.#runs.get(id);
    if (!run) throw new ActionError('not-found', `there is no replay ${id.slice(0, 100)}`);
    if (!hasEnded(run.record))
      throw new ActionError('unavailable', 'this replay is under way: abort it first');
    this.#runs.delete(id);
    this.#rates.delete(id);
    await this.#deps.store.remove(id);
    await this.#log.audit(actor, 'forget', run.record, reason, {});
  }

  /** Ends the work of this process; what is under way goes on when the console starts again. */
  async stop(): Promise<void> {
    const stopped = this.#loop.stop();
    await Promise.all([...this.#runs.values()].map((run) => run.stop()));
    await stopped;
    this.#connections.close();
  }

  #hold(record: ReplayRecord): ReplayRun {
    const run = new ReplayRun(record, this.#runDeps(record.instance), new LoadSampler());
    this.#runs.set(record.id, run);
    return run;
  }

  #runDeps(instance: string): RunDeps {
    const { moved, parked } = this.#deps;
    return {
      store: this.#deps.store,
      parked,
      now: this.#deps.now,
      isLeader: () => this.#deps.isLeader?.() ?? true,
      client: (name) => this.#connections.ready(name),
      snapshot: (name) => this.#deps.watch.snapshot(name),
      readOutcomes: outcomesWith(parked),
      movedTo: (queueId) => moved.to(instance, queueId),
      noteMoved: (queueId, jobs) => moved.note(instance, queueId, jobs),
      tell: (kind, record, text) => this.#log.tell(kind, record, text),
    };
  }

  /** How it goes to look up outcomes, and every replay that is under way. */
  get health(): readonly WorkHealth[] {
    const runs = [...this.#runs.values()].filter(({ record }) => record.state === 'running');
    return [this.#loop.health(), ...runs.map((run) => run.health)];
  }

  async #settle(): Promise<void> {
    if (this.#deps.isLeader?.() === false) return;
    this.#turns += 1;
    const nowMs = this.#deps.now();
    for (const run of this.#runs.values()) {
      const { record } = run;
      this.#rateOf(record.id).note(nowMs, record.counts.moved);
      const isOver = hasEnded(record);
      if (isOver && nowMs - (record.endedAtMs ?? 0) > WATCH_ENDED_MS) continue;
      const isDue =
        !isOver || this.#turns % ENDED_EVERY_TURNS === 0 || nowMs - (record.endedAtMs ?? 0) < 10_000;
      const hasOpen = accountOf(record.counts, false).toRun > 0;
      const client = isDue && hasOpen ? this.#connections.ready(record.instance) : null;
      if (client) await run.settle(client);
    }
    if (this.#turns % PRUNE_EVERY_TURNS === 1) await this.#prune(nowMs);
  }

  /** What is kept no longer is forgotten here too. */
  async #prune(nowMs: number): Promise<void> {
    for (const id of await this.#deps.store.prune(nowMs)) {
      this.#runs.delete(id);
      this.#rates.delete(id);
    }
  }

  #viewOf(run: ReplayRun): ReplayView {
    const { record } = run;
    const movedPerSecond = record.state === 'running' ? this.#rateOf(record.id).perSecond : 0;
    return viewOfReplay(record, movedPerSecond, run.pacePerSecond, run.paceReason);
  }

  #rateOf(id: string): MovedRate {
    const rate = this.#rates.get(id) ?? new MovedRate();
    this.#rates.set(id, rate);
    return rate;
  }

  #snapshotOf(instance: string): Snapshot {
    const snapshot = this.#deps.watch.snapshot(instance);
    if (!snapshot) throw new ActionError('not-found', `instance: there is no Redis named ${instance}`);
    return snapshot;
  }
}

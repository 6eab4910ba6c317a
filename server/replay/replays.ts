import { ActionError, requirePermitted } from '../model/action.js';
import type { AuditLog } from '../model/audit-record.js';
import type { Redactor } from '../model/redact.js';
import type { DryRun } from '../model/replay.js';
import {
  accountOf,
  hasEnded,
  type OrderOutcome,
  type ReplayRecord,
  type ReplayView,
} from '../model/replay.js';
import { saidBy } from '../model/replay-spec.js';
import type { Actor } from '../model/role.js';
import type { Snapshot } from '../model/snapshot.js';
import type { RecordEvent } from '../model/timeline-entry.js';
import { every, reasonOf, type WorkHealth } from '../process/every.js';
import type { Watch } from '../watch/watch.js';
import type { CommandRelay } from './command-relay.js';
import { FinishedJobs } from './finished-jobs.js';
import type { JobSelection, JobSource } from './job-source.js';
import type { MovedJobs } from './load-sample.js';
import type { Parkings } from './parking/parkings.js';
import { ReplayConnections } from './replay-connections.js';
import { orderReplay, ReplayLog, withoutJobData } from './replay-log.js';
import {
  checkFilter,
  isSelected,
  newRecord,
  queuesOf,
  type ReplayOrder,
  type ReplayRequest,
  type ReplaySelection,
} from './replay-request.js';
import { ReplayRun } from './replay-run.js';
import type { ReplayStore } from './replay-store.js';
import { StoredReplays } from './replay-view.js';

const NOTHING_PARKED = 'from: jobs can not be parked by this console: see its log for why';
/** Replays under way at once. */
const MAX_RUNNING = 20;
const SETTLE_EVERY_MS = 250;
/** Outcomes of an ended replay are looked up less often, and for a day. */
const ENDED_EVERY_TURNS = 8;
const WATCH_ENDED_MS = 24 * 3_600_000;
const PRUNE_EVERY_TURNS = 4 * 60 * 10;

interface ReplaysDeps {
  readonly watch: Pick<Watch, 'snapshot' | 'link'>;
  readonly store: ReplayStore;
  readonly audit: AuditLog;
  /** Left out: nothing can be parked. */
  readonly parkings?: Pick<Parkings, 'sourceOf'>;
  readonly moved: MovedJobs;
  /** Of several consoles, is it this one that moves jobs, and the way to the one that does. Left out: there are no others. */
  readonly isLeader?: () => boolean;
  readonly commands?: Pick<CommandRelay, 'send' | 'other'>;
  readonly recordEvent: RecordEvent;
  readonly now: () => number;
  readonly newId: () => string;
  readonly warn: (message: string) => void;
}

/** Orders that another console passes on to the one that moves jobs. */
export const REPLAY_COMMANDS = ['begin', 'change', 'changeAll', 'remove'] as const;

/**
 * All replays. The console that moves jobs runs them: begins them, takes orders, and goes on with them after a restart. Any
 * other shows what the store says and passes orders on. Which of the two this one is changes with the lease.
 */
export class Replays {
  readonly #deps: ReplaysDeps;
  readonly #log: ReplayLog;
  readonly #runs = new Map<string, ReplayRun>();
  readonly #connections: ReplayConnections;
  readonly #loop = every(
    SETTLE_EVERY_MS,
    () => this.#settle(),
    (error) => this.#deps.warn(`outcomes of replays: ${reasonOf(error)}`),
  );
  readonly #stored: StoredReplays;
  #isRunning = false;
  #turns = 0;

  constructor(deps: ReplaysDeps) {
    this.#deps = deps;
    this.#stored = new StoredReplays({ ...deps, runBy: () => deps.commands?.other() ?? 'nobody' });
    this.#log = new ReplayLog(deps);
    this.#connections = new ReplayConnections(deps.watch, (instance) => {
      for (const run of this.#runs.values()) if (run.record.instance === instance) run.noteBreak();
    });
  }

  /** Shows what is kept. */
  open(): Promise<void> {
    return this.#stored.follow();
  }

  /** Goes on with what is kept as under way, as after a kill: whoever ran it may have been killed. */
  async onElected(): Promise<void> {
    for (const record of await this.#deps.store.list()) {
      const run = this.#hold(record);
      // How the last process ended is not known: what is swept once more is found once more at most.
      run.noteBreak();
      void run.start();
    }
    this.#loop.start();
    this.#isRunning = true;
    this.#stored.stop();
  }

  /** Stops all runs, each after the call that is in the air. */
  async onDemoted(): Promise<void> {
    const records = this.#isRunning ? this.list().map(({ record }) => record) : undefined;
    this.#isRunning = false;
    await Promise.all([this.#stopRuns(), this.#stored.follow(records)]);
  }

  /** Ends the work of this process; what is under way goes on when the console starts again. */
  async stop(): Promise<void> {
    this.#stored.stop();
    await this.#stopRuns();
  }

  /** Newest first. */
  list(): readonly ReplayView[] {
    if (!this.#isRunning) return this.#stored.list();
    return [...this.#runs.values()]
      .map(({ view }) => view)
      .sort((a, b) => b.record.createdAtMs - a.record.createdAtMs || (a.record.id < b.record.id ? 1 : -1));
  }

  get(id: string): ReplayView | null {
    if (!this.#isRunning) return this.#stored.get(id);
    return this.#runs.get(id)?.view ?? null;
  }

  /** What a replay would take. @throws ActionError */
  async dryRun(request: ReplayRequest): Promise<DryRun> {
    const snapshot = this.#snapshotOf(request.instance);
    checkFilter(request.spec, this.#redactorOf(request.instance));
    const { now } = this.#deps;
    const { instance } = request;
    const selection = { ...request, id: '', cutoffMs: now(), queues: queuesOf(snapshot, request) };
    const source = this.#sourceOf(selection);
    if (!source) throw new ActionError('unavailable', NOTHING_PARKED);
    return source.dryRun(async () => {
      const client = await this.#connections.whenReady(instance, now);
      if (client) return client;
      throw new ActionError('unreachable', `Redis ${instance} does not answer now`);
    }, now);
  }

  /** Begins a replay. On disk before it is answered for. @throws ActionError */
  begin(actor: Actor, request: ReplayRequest): Promise<ReplayView> {
    return this.#ordered('begin', [actor, request], () => this.#begin(actor, request));
  }

  /** @throws ActionError when there is no such replay, or it has ended. */
  change(actor: Actor, id: string, order: ReplayOrder, isDryRun = false): Promise<OrderOutcome> {
    return this.#ordered('change', [actor, id, order, isDryRun], () =>
      this.#change(actor, id, order, isDryRun),
    );
  }

  /** The same for all that are under way and match; an outcome for each. */
  changeAll(
    actor: Actor,
    selection: ReplaySelection,
    order: ReplayOrder,
    isDryRun: boolean,
  ): Promise<readonly OrderOutcome[]> {
    return this.#ordered('changeAll', [actor, selection, order, isDryRun], () => {
      const chosen = this.#underWay().filter(({ record }) => isSelected(record, selection));
      return Promise.all(chosen.map((run) => orderReplay(this.#log, actor, run, order, isDryRun)));
    });
  }

  /** Forgets a replay that has ended. @throws ActionError */
  async remove(actor: Actor, id: string, reason: string, isDryRun = false): Promise<void> {
    await this.#ordered('remove', [actor, id, reason, isDryRun], () =>
      this.#remove(actor, id, reason, isDryRun),
    );
  }

  /** How what runs them, or reads what another console runs, does. */
  get health(): readonly WorkHealth[] {
    if (!this.#isRunning) return [this.#stored.health];
    const runs = [...this.#runs.values()].filter(({ record }) => record.state === 'running');
    return [this.#loop.health(), ...runs.map((run) => run.health)];
  }

  async #ordered<T>(
    name: (typeof REPLAY_COMMANDS)[number],
    args: readonly unknown[],
    here: () => Promise<T>,
  ): Promise<T> {
    const { commands } = this.#deps;
    if (this.#isRunning || !commands) return here();
    const answer = await commands.send(`replays.${name}`, args);
    // So that the page that comes next shows it.
    await this.#stored.refresh();
    return answer as T;
  }

  async #begin(actor: Actor, request: ReplayRequest): Promise<ReplayView> {
    const { spec, instance } = request;
    const snapshot = this.#snapshotOf(instance);
    requirePermitted(snapshot.permits, 'replay.begin');
    checkFilter(spec, this.#redactorOf(instance));
    const queues = queuesOf(snapshot, request);
    const running = this.#underWay().length;
    if (running >= MAX_RUNNING)
      throw new ActionError('unavailable', `${running} replays are under way: end one before another begins`);
    const { now, newId } = this.#deps;
    const record = newRecord(newId(), actor.name, request, queues, snapshot, now());
    if (!this.#sourceOf(record)) throw new ActionError('unavailable', NOTHING_PARKED);
    await this.#deps.store.save(record);
    await this.#log.audit(actor, 'start', record, spec.reason, {
      ...spec,
      filter: withoutJobData(spec.filter),
      queues: queues.join(', '),
    });
    const run = this.#hold(record);
    void run.start();
    this.#log.record(
      'started',
      record,
      saidBy(`${actor.name} replays ${spec.from} jobs of ${queues.join(', ')}`, spec.reason),
    );
    return run.view;
  }

  async #change(actor: Actor, id: string, order: ReplayOrder, isDryRun: boolean): Promise<OrderOutcome> {
    const run = this.#runOf(id);
    if (hasEnded(run.record))
      throw new ActionError('unavailable', `this replay is ${run.record.state}: begin another one`);
    const outcome = await orderReplay(this.#log, actor, run, order, isDryRun);
    if (outcome.status === 'refused' || outcome.status === 'failed')
      throw new ActionError('unavailable', outcome.summary);
    return outcome;
  }

  async #remove(actor: Actor, id: string, reason: string, isDryRun: boolean): Promise<void> {
    const { record } = this.#runOf(id);
    if (!hasEnded(record)) throw new ActionError('unavailable', 'this replay is under way: abort it first');
    if (isDryRun) return;
    this.#runs.delete(id);
    await this.#deps.store.remove(id);
    await this.#log.audit(actor, 'forget', record, reason, {});
  }

  #underWay(): readonly ReplayRun[] {
    return [...this.#runs.values()].filter(({ record }) => !hasEnded(record));
  }

  #runOf(id: string): ReplayRun {
    const run = this.#runs.get(id);
    if (!run) throw new ActionError('not-found', `there is no replay ${id.slice(0, 100)}`);
    return run;
  }

  async #stopRuns(): Promise<void> {
    const runs = [...this.#runs.values()];
    this.#runs.clear();
    await Promise.all([this.#loop.stop(), ...runs.map((run) => run.stop())]);
    this.#connections.close();
  }

  #hold(record: ReplayRecord): ReplayRun {
    const run = new ReplayRun(record, {
      ...this.#deps,
      source: this.#sourceOf(record),
      isLeader: () => this.#deps.isLeader?.() ?? true,
      client: (name) => this.#connections.ready(name),
      snapshot: (name) => this.#deps.watch.snapshot(name),
      recordEvent: (kind, now, text) => this.#log.record(kind, now, text),
    });
    this.#runs.set(record.id, run);
    return run;
  }

  #sourceOf(selection: JobSelection): JobSource | null {
    const { from } = selection.spec;
    if (from === 'parked') return this.#deps.parkings?.sourceOf(selection) ?? null;
    const snapshot = () => this.#deps.watch.snapshot(selection.instance);
    const canFlagScripts = () => snapshot()?.capabilities?.canFlagScripts ?? false;
    return new FinishedJobs(selection, from, canFlagScripts, this.#redactorOf(selection.instance));
  }

  #redactorOf(instance: string): Redactor | null {
    return this.#deps.watch.link(instance)?.redactor ?? null;
  }

  async #settle(): Promise<void> {
    if (this.#deps.isLeader?.() === false) return;
    this.#turns += 1;
    const nowMs = this.#deps.now();
    for (const run of this.#runs.values()) {
      const { record } = run;
      run.noteRate();
      const endedForMs = nowMs - (record.endedAtMs ?? nowMs);
      if (endedForMs > WATCH_ENDED_MS) continue;
      const isDue = endedForMs < 10_000 || this.#turns % ENDED_EVERY_TURNS === 0;
      const hasOpen = accountOf(record.counts, false).toRun > 0;
      const client = isDue && hasOpen ? this.#connections.ready(record.instance) : null;
      if (client) await run.settle(client);
    }
    // What is kept no longer is forgotten here too.
    if (this.#turns % PRUNE_EVERY_TURNS === 1)
      for (const id of await this.#deps.store.prune(nowMs)) this.#runs.delete(id);
  }

  #snapshotOf(instance: string): Snapshot {
    const snapshot = this.#deps.watch.snapshot(instance);
    if (!snapshot) throw new ActionError('not-found', `instance: there is no Redis named ${instance}`);
    return snapshot;
  }
}

import type { Actor } from '../model/role.js';
import { every, reasonOf, type WorkHealth } from '../process/every.js';
import type { CommandRelay } from './command-relay.js';
import type { DryRun } from './dry-run.js';
import { MovedRate } from './moved-rate.js';
import type { ReplayPort } from './replay-port.js';
import type { ReplayRecord, ReplayStore } from './replay-record.js';
import type { OrderOutcome, ReplayOrder, ReplayRequest, ReplaySelection } from './replay-request.js';
import { type ReplayView, viewOfReplay } from './replay-view.js';
import type { Replays } from './replays.js';

const REFRESH_EVERY_MS = 1_000;

interface KeptReplaysDeps {
  readonly store: Pick<ReplayStore, 'list'>;
  readonly now: () => number;
  /** Who runs them, as a part of a sentence. */
  readonly runBy: () => string;
  readonly warn: (message: string) => void;
}

/** Replays that another console runs, as the store has them: read once a second. */
class StoredReplays {
  readonly #deps: KeptReplaysDeps;
  #records: readonly ReplayRecord[] = [];
  readonly #rates = new Map<string, MovedRate>();
  readonly #loop = every(
    REFRESH_EVERY_MS,
    () => this.#read(),
    (error) => this.#deps.warn(`replays could not be read: ${reasonOf(error)}`),
  );

  constructor(deps: KeptReplaysDeps) {
    this.#deps = deps;
  }

  get health(): WorkHealth {
    return this.#loop.health();
  }

  /** Reads them from now on. @param known what they were just now, where that is known. */
  follow(known = this.#records): Promise<void> {
    this.#records = known;
    this.#rates.clear();
    this.#loop.start();
    return this.refresh();
  }

  stop(): void {
    void this.#loop.stop();
  }

  /** Newest first. */
  list(): readonly ReplayView[] {
    return this.#records.map((record) => this.#viewOf(record));
  }

  get(id: string): ReplayView | null {
    const record = this.#records.find((one) => one.id === id);
    return record ? this.#viewOf(record) : null;
  }

  /** Never throws: what was read before is shown until the store can be read again. */
  refresh(): Promise<void> {
    return this.#loop.run();
  }

  async #read(): Promise<void> {
    const { store, now } = this.#deps;
    this.#records = await store.list();
    const nowMs = now();
    for (const { id, state, counts } of this.#records) {
      if (state !== 'running') this.#rates.delete(id);
      else this.#rateOf(id).note(nowMs, counts.moved);
    }
  }

  #viewOf(record: ReplayRecord): ReplayView {
    if (record.state !== 'running') return viewOfReplay(record, 0, 0, record.reason);
    const perSecond = this.#rateOf(record.id).perSecond;
    return viewOfReplay(record, perSecond, perSecond, `Run by ${this.#deps.runBy()}.`);
  }

  #rateOf(id: string): MovedRate {
    const rate = this.#rates.get(id) ?? new MovedRate();
    this.#rates.set(id, rate);
    return rate;
  }
}

export interface ReplayCommandsDeps extends Omit<KeptReplaysDeps, 'runBy'> {
  readonly commands: Pick<CommandRelay, 'send' | 'other'>;
  /** One that has not been opened. */
  readonly newReplays: () => Replays;
}

/**
 * Replays of all consoles on a store. The one that moves jobs runs them; any other shows what the store says and passes
 * orders on. Which of the two this one is changes with the lease.
 */
export class ReplayCommands implements ReplayPort {
  readonly #deps: ReplayCommandsDeps;
  readonly #kept: StoredReplays;
  /** Runs them while it is ours to do so; else it only looks what a replay would take. */
  #replays: Replays;
  #isRunning = false;

  constructor(deps: ReplayCommandsDeps) {
    this.#deps = deps;
    this.#kept = new StoredReplays({ ...deps, runBy: () => deps.commands.other() });
    this.#replays = deps.newReplays();
  }

  /** Shows what is kept. */
  open(): Promise<void> {
    return this.#kept.follow();
  }

  /** Goes on with what is kept as under way, as after a kill: whoever ran it may have been killed. */
  async onElected(): Promise<void> {
    await this.#replays.open();
    this.#isRunning = true;
    this.#kept.stop();
  }

  /** Stops all runs, each after the call that is in the air. */
  async onDemoted(): Promise<void> {
    const before = this.#replays;
    const records = this.#isRunning ? before.list().map(({ record }) => record) : undefined;
    this.#isRunning = false;
    this.#replays = this.#deps.newReplays();
    await Promise.all([before.stop(), this.#kept.follow(records)]);
  }

  async stop(): Promise<void> {
    this.#kept.stop();
    await this.#replays.stop();
  }

  /** How what runs them, or reads what another console runs, does. */
  get health(): readonly WorkHealth[] {
    return this.#isRunning ? this.#replays.health : [this.#kept.health];
  }

  list(): readonly ReplayView[] {
    return (this.#isRunning ? this.#replays : this.#kept).list();
  }

  get(id: string): ReplayView | null {
    return (this.#isRunning ? this.#replays : this.#kept).get(id);
  }

  dryRun(request: ReplayRequest): Promise<DryRun> {
    return this.#replays.dryRun(request);
  }

  begin(actor: Actor, request: ReplayRequest): Promise<ReplayView> {
    return this.#isRunning ? this.#replays.begin(actor, request) : this.#send('begin', actor, request);
  }

  change(actor: Actor, id: string, order: ReplayOrder): Promise<OrderOutcome> {
    return this.#isRunning ? this.#replays.change(actor, id, order) : this.#send('change', actor, id, order);
  }

  changeAll(
    actor: Actor,
    selection: ReplaySelection,
    order: ReplayOrder,
    isDryRun: boolean,
  ): Promise<readonly OrderOutcome[]> {
    if (this.#isRunning) return this.#replays.changeAll(actor, selection, order, isDryRun);
    return this.#send('changeAll', actor, selection, order, isDryRun);
  }

  async remove(actor: Actor, id: string, reason: string): Promise<void> {
    if (this.#isRunning) await this.#replays.remove(actor, id, reason);
    else await this.#send('remove', actor, id, reason);
  }

  /** What others may ask of this one, by the names that `#send` gives. */
  carriers(): Readonly<Record<`replays.${Passed}`, (...args: never[]) => Promise<unknown>>> {
    return {
      'replays.begin': (...args: Parameters<Replays['begin']>) => this.#replays.begin(...args),
      'replays.change': (...args: Parameters<Replays['change']>) => this.#replays.change(...args),
      'replays.changeAll': (...args: Parameters<Replays['changeAll']>) => this.#replays.changeAll(...args),
      'replays.remove': (...args: Parameters<Replays['remove']>) => this.#replays.remove(...args),
    };
  }

  async #send<Name extends Passed>(
    name: Name,
    ...args: Parameters<Replays[Name]>
  ): Promise<Awaited<ReturnType<Replays[Name]>>> {
    const answer = await this.#deps.commands.send(`replays.${name}`, args);
    // So that the page that comes next shows it.
    await this.#kept.refresh();
    return answer as Awaited<ReturnType<Replays[Name]>>;
  }
}

type Passed = 'begin' | 'change' | 'changeAll' | 'remove';

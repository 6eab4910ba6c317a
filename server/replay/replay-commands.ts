import type { Actor } from '../model/role.js';
import type { WorkHealth } from '../process/every.js';
import type { CommandRelay } from './command-relay.js';
import type { DryRun } from './dry-run.js';
import type { OrderOutcome, ReplayOrder } from './replay-order.js';
import type { ReplayPort } from './replay-port.js';
import type { ReplayRequest, ReplaySelection } from './replay-request.js';
import type { ReplayView } from './replay-view.js';
import type { Replays } from './replays.js';
import { type KeptReplaysDeps, StoredReplays } from './stored-replays.js';

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

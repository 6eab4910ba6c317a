import type { RedisNode, UnreadNode } from '../model/snapshot.js';
import { type ClientReading, mergeClientReadings, readClientList } from '../redis/clients.js';
import { Discovery } from '../redis/discover.js';
import type { MasterNode } from '../redis/link.js';
import { WatchedNode } from './watched-node.js';

/** CLIENT LIST costs about 2 µs a client: each tick up to this many clients, every fifth tick beyond. */
const MANY_CLIENTS = 500;

/** Where the list is too large to be taken, it is asked for again after so many ticks. */
const TOO_LARGE_TICKS = 60;

/** Who is connected to the masters of one Redis, as CLIENT LIST last told of each. */
export class SeenClients {
  readonly #ofMaster = new Map<string, ClientReading>();
  #merged: ClientReading | null = null;
  #dueTick = 0;
  #isLost = false;

  /** @param isUrgent somebody waits for it; not so where the last list was too large. */
  isDue(tick: number, isUrgent = false): boolean {
    return tick >= this.#dueTick || (isUrgent && !this.#isLost);
  }

  /** Takes the answer of one master. @returns what all of them hold together. */
  take(masterId: string, text: string, tick: number): ClientReading {
    this.#ofMaster.set(masterId, readClientList(text));
    const merged = mergeClientReadings([...this.#ofMaster.values()]);
    this.#merged = merged;
    this.#isLost = false;
    this.#dueTick = tick + (merged.clients > MANY_CLIENTS ? 5 : 1);
    return merged;
  }

  /** The list of one master is larger than may be: who is connected is not known from now on. */
  lose(masterId: string, tick: number): void {
    this.#ofMaster.delete(masterId);
    this.#merged = null;
    this.#isLost = true;
    this.#dueTick = tick + TOO_LARGE_TICKS;
  }

  /** Workers of a queue; null: not known. */
  workersOf(queueId: string): number | null {
    return this.#merged === null ? null : (this.#merged.workersByQueue.get(queueId) ?? 0);
  }

  /** Answers that wait to be sent to clients; null: not known. */
  outputBytesOf(masterId: string): number | null {
    return this.#ofMaster.get(masterId)?.outputBytes ?? null;
  }

  forgetAllBut(masterIds: ReadonlySet<string>): void {
    for (const id of this.#ofMaster.keys()) if (!masterIds.has(id)) this.#ofMaster.delete(id);
  }
}

/** The masters of one Redis: one, unless it is a Cluster. Each with the walk over its keys. */
export class WatchedNodes {
  readonly #budgetRatio: number;
  readonly #nodes = new Map<string, { readonly node: WatchedNode; readonly discovery: Discovery }>();

  /** @param budgetRatio what the console may cost each, 0..1 of a core. */
  constructor(budgetRatio: number) {
    this.#budgetRatio = budgetRatio;
  }

  /** A master that answers; it gets an entry if it has none. */
  of({ id, address }: MasterNode): WatchedNode {
    const known = this.get(id);
    if (known) return known;
    const node = new WatchedNode(id, address, this.#budgetRatio);
    this.#nodes.set(id, { node, discovery: new Discovery() });
    return node;
  }

  /** Was it read before? */
  has(id: string): boolean {
    return this.get(id)?.state != null;
  }

  get(id: string): WatchedNode | undefined {
    return this.#nodes.get(id)?.node;
  }

  discoveryOf(id: string): Discovery {
    return this.#nodes.get(id)?.discovery ?? new Discovery();
  }

  get discoveries(): readonly Discovery[] {
    return [...this.#nodes.values()].map(({ discovery }) => discovery);
  }

  /** Those that are known now. */
  get states(): readonly RedisNode[] {
    return this.#all.flatMap((node) => (node.isUnread ? [] : (node.state ?? [])));
  }

  get unread(): readonly UnreadNode[] {
    return this.#all.flatMap((node) => node.unread ?? []);
  }

  /** What the regular reads cost the master that they cost most, 0..1 of a core; 0 while the credit of the first look pays. */
  get regularCpuRatio(): number {
    const nodes = this.#all.filter((node) => !node.isFirstLook);
    return Math.max(0, ...nodes.map((node) => node.regularCpuRatio));
  }

  missAllBut(answering: ReadonlySet<string>): void {
    for (const node of this.#all) if (!answering.has(node.id)) node.miss();
  }

  forgetAllBut(ids: ReadonlySet<string>): void {
    for (const id of this.#nodes.keys()) if (!ids.has(id)) this.#nodes.delete(id);
  }

  get #all(): readonly WatchedNode[] {
    return [...this.#nodes.values()].map(({ node }) => node);
  }
}

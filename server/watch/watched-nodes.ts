import type { RedisNode, UnreadNode } from '../model/snapshot.js';
import { Discovery } from '../redis/discover.js';
import type { MasterNode } from '../redis/link.js';
import { WatchedNode } from './watched-node.js';

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

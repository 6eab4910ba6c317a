import type { Snapshot } from '../model/snapshot.js';
import type { Signal, Subject } from '../signals/signal.js';

type Scope = Signal['scope'];

/** What the console calls all types that it does not tell apart: no type, so no rule is about it. */
export const OTHER_TYPES = '(other)';

/**
 * A number for each subject of one scope that was ever seen in an instance, so that what is known of a thousand queues
 * lies in plain arrays and globs are matched once a subject and not once a tick.
 */
export class SubjectTable {
  readonly scope: Scope;
  readonly #instance: string;
  readonly #slots = new Map<string, number>();
  readonly #types = new Map<string, Map<string, number>>();
  readonly subjects: Subject[] = [];
  /** Slots in the order of the Snapshot, as of the last `look`. Types that have none are -1. */
  order: number[] = [];
  readonly #seenIn: number[] = [];
  #look = 0;
  #lastQueues: readonly string[] = [];

  constructor(scope: Scope, instance: string) {
    this.scope = scope;
    this.#instance = instance;
  }

  /** Takes in who is there now. */
  look(snapshot: Snapshot): void {
    this.#look += 1;
    if (this.scope === 'instance') this.order = [this.#slotOf('')];
    else if (this.scope === 'node') this.order = snapshot.nodes.map(({ address }) => this.#slotOf(address));
    else if (this.scope === 'queue') this.#lookAtQueues(snapshot);
    else this.#lookAtTypes(snapshot);
    for (const slot of this.order) if (slot >= 0) this.#seenIn[slot] = this.#look;
  }

  /** Was it there at the last look? */
  isPresent(slot: number): boolean {
    return this.#seenIn[slot] === this.#look;
  }

  /** The slot of a subject, which gets one if it has none. */
  slotOf({ node, queue, type }: Subject): number {
    if (this.scope === 'job-type') return this.#typeSlot(queue ?? '', type ?? '');
    return this.#slotOf(this.scope === 'node' ? (node ?? '') : (queue ?? ''));
  }

  #lookAtQueues({ queues }: Snapshot): void {
    const isSame =
      queues.length === this.#lastQueues.length && queues.every(({ id }, i) => id === this.#lastQueues[i]);
    if (isSame) return;
    this.#lastQueues = queues.map(({ id }) => id);
    this.order = this.#lastQueues.map((id) => this.#slotOf(id));
  }

  #lookAtTypes({ queues }: Snapshot): void {
    const order: number[] = [];
    for (const { id, types } of queues)
      for (const { name } of types) order.push(name === OTHER_TYPES ? -1 : this.#typeSlot(id, name));
    this.order = order;
  }

  #slotOf(name: string): number {
    const known = this.#slots.get(name);
    if (known !== undefined) return known;
    const isNode = this.scope === 'node';
    const isQueue = this.scope === 'queue';
    const slot = this.#add({ node: isNode ? name : null, queue: isQueue ? name : null, type: null });
    this.#slots.set(name, slot);
    return slot;
  }

  #typeSlot(queue: string, type: string): number {
    const types = this.#types.get(queue) ?? new Map<string, number>();
    if (types.size === 0) this.#types.set(queue, types);
    const known = types.get(type);
    if (known !== undefined) return known;
    const slot = this.#add({ node: null, queue, type });
    types.set(type, slot);
    return slot;
  }

  #add(place: Omit<Subject, 'instance'>): number {
    this.subjects.push({ instance: this.#instance, ...place });
    this.#seenIn.push(-1);
    return this.subjects.length - 1;
  }
}

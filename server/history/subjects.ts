import type { QueueState } from '../model/snapshot.js';
import type { Signal, SignalSubject } from '../signals/signal.js';
import { blockStart, type Tiers } from './points.js';
import type { TickWindow } from './tick-window.js';

/** What is kept of one subject while the console runs. */
export interface SubjectEntry {
  readonly id: number;
  readonly subject: SignalSubject;
  readonly scope: Signal['scope'];
  /** It has its row in the store. */
  isSaved: boolean;
  /** Up to when its ticks are folded into each tier; of the ticks themselves 0. */
  readonly untilMs: [number, number, number];
  /** Of its last tick. */
  lastSecond: number;
  /** Ticks that are not written yet. */
  window: TickWindow | null;
  /** Of a queue: as it was when its values were last taken. */
  seen: QueueState | null;
}

export function scopeOfSubject({ node, queue, type }: SignalSubject): Signal['scope'] {
  if (type !== null) return 'job-type';
  if (queue !== null) return 'queue';
  return node === null ? 'instance' : 'node';
}

/**
 * Of each scope, in all: so much is kept and no more, so that a program that makes queues or job types without end fills
 * neither memory nor disk. Those that were first stay.
 */
const MAX_SUBJECTS = { instance: 1_000, node: 2_000, queue: 12_000, 'job-type': 2_000 } as const;

interface Instance {
  self: SubjectEntry | null;
  readonly nodes: Map<string, SubjectEntry>;
  readonly queues: Map<string, SubjectEntry>;
  readonly types: Map<string, Map<string, SubjectEntry>>;
}

/** All subjects that have a history, found by what they are; no text is put together at every tick for that. */
export class Subjects {
  readonly #instances = new Map<string, Instance>();
  readonly #all: SubjectEntry[] = [];
  readonly #counts = { instance: 0, node: 0, queue: 0, 'job-type': 0 };
  readonly #tiers: Tiers;
  #nextId = 1;

  constructor(tiers: Tiers) {
    this.#tiers = tiers;
  }

  get all(): readonly SubjectEntry[] {
    return this.#all;
  }

  /** Takes one that the store knows. */
  restore(entry: SubjectEntry): void {
    this.#nextId = Math.max(this.#nextId, entry.id + 1);
    this.#add(entry);
  }

  find({ instance, node, queue, type }: SignalSubject): SubjectEntry | null {
    const held = this.#instances.get(instance);
    if (!held) return null;
    if (queue !== null && type !== null) return held.types.get(queue)?.get(type) ?? null;
    if (queue !== null) return held.queues.get(queue) ?? null;
    return node === null ? held.self : (held.nodes.get(node) ?? null);
  }

  queue(instance: string, queueId: string): SubjectEntry | null {
    return this.#instances.get(instance)?.queues.get(queueId) ?? null;
  }

  /** A new one; null where there are as many as may be. */
  create(subject: SignalSubject, nowMs: number): SubjectEntry | null {
    const scope = scopeOfSubject(subject);
    if (this.#counts[scope] >= MAX_SUBJECTS[scope]) return null;
    const entry: SubjectEntry = {
      id: this.#nextId++,
      subject,
      scope,
      isSaved: false,
      untilMs: [0, blockStart(this.#tiers[1], nowMs), blockStart(this.#tiers[2], nowMs)],
      lastSecond: Number.NEGATIVE_INFINITY,
      window: null,
      seen: null,
    };
    this.#add(entry);
    return entry;
  }

  /** Forgets those of which nothing is kept any more. */
  forget(isGone: (entry: SubjectEntry) => boolean): readonly SubjectEntry[] {
    const gone = this.#all.filter(isGone);
    if (gone.length === 0) return gone;
    const ids = new Set(gone.map(({ id }) => id));
    const left = this.#all.filter(({ id }) => !ids.has(id));
    this.#all.length = 0;
    this.#instances.clear();
    for (const scope of ['instance', 'node', 'queue', 'job-type'] as const) this.#counts[scope] = 0;
    for (const entry of left) this.#add(entry);
    return gone;
  }

  #add(entry: SubjectEntry): void {
    const { instance, node, queue, type } = entry.subject;
    const held = this.#instances.get(instance) ?? {
      self: null,
      nodes: new Map(),
      queues: new Map(),
      types: new Map(),
    };
    this.#instances.set(instance, held);
    if (queue !== null && type !== null) {
      const types = held.types.get(queue) ?? new Map<string, SubjectEntry>();
      held.types.set(queue, types.set(type, entry));
    } else if (queue !== null) held.queues.set(queue, entry);
    else if (node !== null) held.nodes.set(node, entry);
    else held.self = entry;
    this.#counts[entry.scope] += 1;
    this.#all.push(entry);
  }
}

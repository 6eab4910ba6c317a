import { OTHER_TYPES } from '../../agent/protocol.js';
import { freshnessOf } from '../model/sight.js';
import type { Snapshot } from '../model/snapshot.js';
import { SIGNALS } from '../signals/index.js';
import { eachReading, type Signal, type SignalSubject } from '../signals/signal.js';
import type { Beside, Gauge, Memory } from './gauge.js';

/** Subjects that came and went are forgotten once they are so many more than those that are there. */
const MAX_GONE = 20_000;

/** Whom rules may be about, from when it was first seen. */
export interface WatchedSubject {
  readonly subject: SignalSubject;
  /** By `subjectKey`. */
  readonly key: string;
  /** Where its numbers stand among those of its scope. */
  readonly row: number;
  /** Number of the last tick that found it. */
  seenIn: number;
}

/** The subjects of one scope. */
interface ScopeTable {
  /** By row. */
  readonly all: WatchedSubject[];
  /** Rows of those that are there at this tick. */
  present: number[];
}

/** The numbers of one gauge at this tick, by row. NaN: not known, or not there. */
export interface GaugeColumn {
  readonly numbers: Float64Array;
  /** Of those that are known, so that a rule looks at each only where one can breach. Infinity and -Infinity: of none. */
  readonly lowest: number;
  readonly highest: number;
}

/** What a gauge that is more than its signal keeps, by row. Numbers are used again: there are hundreds of these at a tick. */
interface Derived {
  readonly memories: (Memory | undefined)[];
  numbers: Float64Array;
}

/**
 * What the rules of one instance compare, read once a tick however many rules there are. Numbers stand in arrays by row and
 * not in maps by name, as a thousand rules over a thousand queues are judged in one tick.
 */
export class Readings {
  #watched = new Map<string, WatchedSubject>();
  /** Each in the order in which they were first seen. Another array: all was forgotten. */
  #tables = new Map<Signal['scope'], ScopeTable>();
  /** By key of the gauge. */
  #derived = new Map<string, Derived>();
  #columns = new Map<string, GaugeColumn>();
  #tick = 0;
  #here = 0;

  /** null: nothing is known of the gauge's scope now, as the console is blind. */
  column({ key }: Gauge): GaugeColumn | null {
    return this.#columns.get(key) ?? null;
  }

  /** All that were ever seen of a scope and are not forgotten. It grows only at its end. */
  allOf(scope: Signal['scope']): readonly WatchedSubject[] {
    return this.#tableOf(scope).all;
  }

  /** @param key as `subjectKey` makes it. */
  find(key: string): WatchedSubject | undefined {
    return this.#watched.get(key);
  }

  /** Was it there at this tick? */
  isHere({ seenIn }: WatchedSubject): boolean {
    return seenIn === this.#tick;
  }

  /**
   * Reads all that these gauges need. Of an instance that can't be seen only what is about the instance.
   * @param gauges each key once: a memory that is asked twice a tick would learn from its own answer.
   */
  read(gauges: readonly Gauge[], snapshot: Snapshot, nowMs: number): void {
    this.#forget();
    const names = new Set(
      gauges.flatMap(({ signal, second }) => (second === null ? [signal] : [signal, second])),
    );
    const signals = SIGNALS.filter(({ name }) => names.has(name));
    // Those that are seen first are added at the end, as their rows are.
    const values = new Map(
      signals.map((signal) => [signal, new Array(this.allOf(signal.scope).length).fill(Number.NaN)]),
    );
    const byName = new Map(signals.map((signal) => [signal.name, signal]));
    let last: SignalSubject | null = null;
    let watched: WatchedSubject | null = null;
    this.#tick += 1;
    this.#here = 0;
    for (const table of this.#tables.values()) table.present = [];
    eachReading(signals, snapshot, nowMs, (signal, subject, value) => {
      if (subject !== last) {
        last = subject;
        watched = subject.type === OTHER_TYPES ? null : this.#see(signal.scope, subject);
      }
      if (watched !== null) (values.get(signal) as number[])[watched.row] = value ?? Number.NaN;
    });
    this.#columns = new Map();
    const { isLive } = freshnessOf(snapshot, nowMs);
    const limitOf = limitsOf(snapshot);
    const numbers = new Map([...values].map(([signal, of]) => [signal, new Float64Array(of)]));
    for (const gauge of gauges) {
      const signal = byName.get(gauge.signal);
      if (signal === undefined || !(isLive || signal.scope === 'instance')) continue;
      const other = byName.get(gauge.second ?? '');
      const own = numbers.get(signal) as Float64Array;
      const second = other?.scope === signal.scope ? numbers.get(other) : undefined;
      const of =
        gauge.remember === null ? own : this.#derive(gauge, signal.scope, own, second, limitOf, nowMs);
      this.#columns.set(gauge.key, { numbers: of, ...rangeOf(of) });
    }
  }

  /** Forgets the past of gauges that no rule asks for any more. */
  keep(keys: ReadonlySet<string>): void {
    for (const key of this.#derived.keys()) if (!keys.has(key)) this.#derived.delete(key);
  }

  #derive(
    { key, remember }: Gauge,
    scope: Signal['scope'],
    own: Float64Array,
    second: Float64Array | undefined,
    limitOf: (node: string | null) => number,
    nowMs: number,
  ): Float64Array {
    const { all, present } = this.#tableOf(scope);
    const { memories, numbers } = this.#derivedOf(key, all.length);
    const beside: { -readonly [K in keyof Beside]: number } = {
      limitBytes: limitOf(null),
      second: Number.NaN,
    };
    for (const row of present) {
      let memory = memories[row];
      if (memory === undefined && remember !== null) {
        memory = remember();
        memories[row] = memory;
      }
      if (scope === 'node') beside.limitBytes = limitOf(all[row]?.subject.node ?? null);
      if (second !== undefined) beside.second = second[row] as number;
      numbers[row] = memory?.next(own[row] as number, nowMs, beside) ?? Number.NaN;
    }
    return numbers;
  }

  #derivedOf(key: string, length: number): Derived {
    let derived = this.#derived.get(key);
    if (derived === undefined) {
      derived = { memories: [], numbers: new Float64Array(length) };
      this.#derived.set(key, derived);
    } else if (derived.numbers.length !== length) derived.numbers = new Float64Array(length);
    derived.numbers.fill(Number.NaN);
    return derived;
  }

  #see(scope: Signal['scope'], subject: SignalSubject): WatchedSubject {
    this.#here += 1;
    const { all, present } = this.#tableOf(scope);
    // Nearly always they come as they came at the tick before.
    let watched = all[present.length];
    if (watched === undefined || !isSame(watched.subject, subject)) {
      const key = subjectKey(subject);
      watched = this.#watched.get(key);
      if (watched === undefined) {
        watched = { subject, key, row: all.length, seenIn: this.#tick };
        all.push(watched);
        this.#watched.set(key, watched);
      }
    }
    watched.seenIn = this.#tick;
    present.push(watched.row);
    return watched;
  }

  #tableOf(scope: Signal['scope']): ScopeTable {
    let table = this.#tables.get(scope);
    if (table === undefined) {
      table = { all: [], present: [] };
      this.#tables.set(scope, table);
    }
    return table;
  }

  /** Names of job types can be made up by data: what was seen once must not be kept for ever. */
  #forget(): void {
    if (this.#watched.size - this.#here <= MAX_GONE) return;
    this.#watched = new Map();
    this.#tables = new Map();
    this.#derived = new Map();
  }
}

function rangeOf(numbers: Float64Array): Omit<GaugeColumn, 'numbers'> {
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (let row = 0; row < numbers.length; row++) {
    const number = numbers[row] as number;
    if (number < lowest) lowest = number;
    if (number > highest) highest = number;
  }
  return { lowest, highest };
}

function isSame(one: SignalSubject, other: SignalSubject): boolean {
  return one.queue === other.queue && one.type === other.type && one.node === other.node;
}

/** The same as long as the subject is, within its instance. */
export function subjectKey({ node, queue, type }: SignalSubject): string {
  return JSON.stringify([node, queue, type]);
}

/** Of a process, its own; of anything else the smallest, as it is not known here which process of a Cluster holds it. */
function limitsOf({ nodes }: Snapshot): (node: string | null) => number {
  const masters = nodes.filter(({ limit, role }) => limit !== null && role === 'master');
  const smallest = Math.min(...masters.map(({ limit }) => limit?.bytes ?? Number.POSITIVE_INFINITY));
  const byAddress = new Map(nodes.map(({ address, limit }) => [address, limit?.bytes ?? Number.NaN]));
  const any = Number.isFinite(smallest) ? smallest : Number.NaN;
  return (node) => (node === null ? any : (byAddress.get(node) ?? any));
}

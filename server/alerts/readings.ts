import { OTHER_TYPES } from '../../agent/protocol.js';
import { freshnessOf } from '../model/sight.js';
import type { Snapshot } from '../model/snapshot.js';
import { SIGNALS } from '../signals/index.js';
import { eachReading, type Signal, type SignalSubject } from '../signals/signal.js';
import type { Beside, Gauge, Memory } from './gauge.js';

/** Subjects that came and went are forgotten once they are so many more than those that are there. */
const MAX_GONE = 20_000;

/** Whom rules may be about, from when it was first seen. */
export interface Watched {
  readonly subject: SignalSubject;
  /** By `subjectKey`. */
  readonly key: string;
  /** Where its numbers stand among those of its scope. */
  readonly slot: number;
  /** Number of the last tick that found it. */
  seenIn: number;
  /** Values of the signals of that tick, in the order in which they were asked for; null: not known. */
  readonly values: (number | null)[];
}

/** The numbers of one gauge at this tick, by slot. NaN: not known, or not there. */
export interface GaugeColumn {
  readonly numbers: Float64Array;
  /** Of those that are known, so that a rule looks at each only where one can breach. Infinity and -Infinity: of none. */
  lowest: number;
  highest: number;
}

/**
 * What the rules of one instance compare, read once a tick however many rules there are. Numbers stand in arrays by slot and
 * not in maps by name, as a thousand rules over a thousand queues are judged in one tick.
 */
export class Readings {
  #watched = new Map<string, Watched>();
  /** In the order in which they were first seen. Another array: all was forgotten. */
  #byScope = new Map<Signal['scope'], Watched[]>();
  /** By key of the gauge, then by slot. */
  #memories = new Map<string, (Memory | undefined)[]>();
  #columns = new Map<string, GaugeColumn>();
  #tick = 0;
  #here = 0;

  /** null: nothing is known of the gauge's scope now, as the console is blind. */
  column({ key }: Gauge): GaugeColumn | null {
    return this.#columns.get(key) ?? null;
  }

  /** All that were ever seen of a scope and are not forgotten. It grows only at its end. */
  allOf(scope: Signal['scope']): readonly Watched[] {
    return this.#listOf(scope);
  }

  /** @param key as `subjectKey` makes it. */
  find(key: string): Watched | undefined {
    return this.#watched.get(key);
  }

  /** Was it there at this tick? */
  isHere({ seenIn }: Watched): boolean {
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
    const order = new Map(signals.map((signal, i) => [signal, i]));
    let last: SignalSubject | null = null;
    let watched: Watched | null = null;
    this.#tick += 1;
    this.#here = 0;
    eachReading(signals, snapshot, nowMs, (signal, subject, value) => {
      if (subject !== last) {
        last = subject;
        watched = subject.type === OTHER_TYPES ? null : this.#see(signal.scope, subject);
      }
      if (watched !== null) watched.values[order.get(signal) as number] = value;
    });
    this.#columns = new Map();
    const { isLive } = freshnessOf(snapshot, nowMs);
    const limitOf = limitsOf(snapshot);
    for (const gauge of gauges) {
      const own = signals.findIndex(({ name }) => name === gauge.signal);
      const scope = signals[own]?.scope;
      if (scope === undefined || !(isLive || scope === 'instance')) continue;
      const second = signals.findIndex((one) => one.name === gauge.second && one.scope === scope);
      this.#columns.set(gauge.key, this.#columnOf(gauge, scope, own, second, limitOf, nowMs));
    }
  }

  /** Forgets the past of gauges that no rule asks for any more. */
  keep(keys: ReadonlySet<string>): void {
    for (const key of this.#memories.keys()) if (!keys.has(key)) this.#memories.delete(key);
  }

  #columnOf(
    { key, remember }: Gauge,
    scope: Signal['scope'],
    own: number,
    second: number,
    limitOf: (node: string | null) => number,
    nowMs: number,
  ): GaugeColumn {
    const all = this.#listOf(scope);
    const column: GaugeColumn = {
      numbers: new Float64Array(all.length).fill(Number.NaN),
      lowest: Number.POSITIVE_INFINITY,
      highest: Number.NEGATIVE_INFINITY,
    };
    const memories = this.#memories.get(key) ?? [];
    if (remember !== null) this.#memories.set(key, memories);
    const beside: { -readonly [K in keyof Beside]: number } = { limitBytes: Number.NaN, second: Number.NaN };
    const tick = this.#tick;
    for (const { slot, seenIn, values, subject } of all) {
      if (seenIn !== tick) continue;
      let number = values[own] ?? Number.NaN;
      if (remember !== null) {
        const memory = memories[slot] ?? remember();
        memories[slot] = memory;
        beside.limitBytes = limitOf(subject.node);
        beside.second = values[second] ?? Number.NaN;
        number = memory.next(number, nowMs, beside);
      }
      column.numbers[slot] = number;
      if (number < column.lowest) column.lowest = number;
      if (number > column.highest) column.highest = number;
    }
    return column;
  }

  #see(scope: Signal['scope'], subject: SignalSubject): Watched {
    const key = subjectKey(subject);
    this.#here += 1;
    let watched = this.#watched.get(key);
    if (watched === undefined) {
      const list = this.#listOf(scope);
      watched = { subject, key, slot: list.length, seenIn: this.#tick, values: [] };
      list.push(watched);
      this.#watched.set(key, watched);
    }
    watched.seenIn = this.#tick;
    return watched;
  }

  #listOf(scope: Signal['scope']): Watched[] {
    const known = this.#byScope.get(scope) ?? [];
    if (known.length === 0) this.#byScope.set(scope, known);
    return known;
  }

  /** Names of job types can be made up by data: what was seen once must not be kept for ever. */
  #forget(): void {
    if (this.#watched.size - this.#here <= MAX_GONE) return;
    this.#watched = new Map();
    this.#byScope = new Map();
    this.#memories = new Map();
  }
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

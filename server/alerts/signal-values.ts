import { freshnessOf } from '../model/sight.js';
import type { Snapshot } from '../model/snapshot.js';
import { signalNamed } from '../signals/index.js';
import type { Signal } from '../signals/signal.js';
import { type Column, DerivedColumn, rangeOf, readSignal } from './columns.js';
import type { Gauge } from './past.js';
import { SubjectTable } from './subject-table.js';

/** Subjects that came and went are forgotten once they are so many more than those that are there. */
const MAX_GONE = 20_000;

/**
 * Reads what the rules of one instance ask for, each signal once a tick. It does not go by eachReading, which names each
 * subject anew: here a thousand rules over a thousand queues are judged in one tick.
 */
export class SignalValues {
  readonly #instance: string;
  #tables = new Map<Signal['scope'], SubjectTable>();
  #derived = new Map<string, DerivedColumn>();
  #columns = new Map<string, Column>();
  /** Counts how often all slots have changed their meaning. */
  edition = 0;

  constructor(instance: string) {
    this.#instance = instance;
  }

  table(scope: Signal['scope']): SubjectTable {
    const known = this.#tables.get(scope);
    if (known) return known;
    const table = new SubjectTable(scope, this.#instance);
    this.#tables.set(scope, table);
    return table;
  }

  /** @returns the gauge's numbers of this tick; null: nothing is known of that scope now, as the console is blind. */
  column(key: string): Column | null {
    return this.#columns.get(key) ?? null;
  }

  /**
   * Reads all that these gauges need. Of an instance that can't be seen only what is about the instance.
   * @param gauges each key once: a memory that is asked twice a tick would learn from its own answer.
   */
  read(gauges: readonly Gauge[], snapshot: Snapshot, nowMs: number): void {
    const isLive = freshnessOf(snapshot, nowMs).isLive;
    this.#forget();
    this.#columns = new Map();
    const looked = new Set<SubjectTable>();
    const raw = new Map<string, Float64Array>();
    const limits = limitsOf(snapshot);
    const rawOf = (name: string, table: SubjectTable): Float64Array | null => {
      const signal = signalNamedFast(name);
      if (signal === null || signal.scope !== table.scope) return null;
      let values = raw.get(name);
      if (!values) {
        values = readSignal(signal, snapshot, nowMs, table);
        raw.set(name, values);
      }
      return values;
    };
    for (const gauge of gauges) {
      const signal = signalNamedFast(gauge.signal);
      if (signal === null || (!isLive && signal.scope !== 'instance')) continue;
      const table = this.table(signal.scope);
      if (!looked.has(table)) {
        table.look(snapshot);
        looked.add(table);
      }
      const own = rawOf(gauge.signal, table);
      if (!own) continue;
      if (gauge.remember === null) {
        this.#columns.set(gauge.key, { gauge, table, values: own, range: rangeOf(own) });
        continue;
      }
      const column = this.#derived.get(gauge.key) ?? new DerivedColumn(gauge, table);
      this.#derived.set(gauge.key, column);
      const second = gauge.second === null ? null : rawOf(gauge.second, table);
      column.derive(own, second, (slot) => limits.of(table.subjects[slot]?.node ?? null), nowMs);
      this.#columns.set(gauge.key, column);
    }
  }

  /** Forgets the past of gauges that no rule asks for any more. */
  keep(keys: ReadonlySet<string>): void {
    for (const key of this.#derived.keys()) if (!keys.has(key)) this.#derived.delete(key);
  }

  /** Names of job types can be made up by data: what was seen once must not be kept for ever. */
  #forget(): void {
    const gone = [...this.#tables.values()].reduce(
      (sum, { subjects, order }) => sum + subjects.length - order.length,
      0,
    );
    if (gone <= MAX_GONE) return;
    this.#tables = new Map();
    this.#derived = new Map();
    this.edition += 1;
  }
}

const named = new Map<string, Signal | null>();
function signalNamedFast(name: string): Signal | null {
  const known = named.get(name);
  if (known !== undefined) return known;
  const signal = signalNamed(name);
  named.set(name, signal);
  return signal;
}

/** Of a process, its own; of anything else the smallest, as it is not known here which process of a Cluster holds it. */
function limitsOf({ nodes }: Snapshot) {
  const masters = nodes.filter(({ limit, role }) => limit !== null && role === 'master');
  const smallest = Math.min(...masters.map(({ limit }) => limit?.bytes ?? Number.POSITIVE_INFINITY));
  const byAddress = new Map(nodes.map(({ address, limit }) => [address, limit?.bytes ?? Number.NaN]));
  const any = Number.isFinite(smallest) ? smallest : Number.NaN;
  return { of: (node: string | null): number => (node === null ? any : (byAddress.get(node) ?? any)) };
}

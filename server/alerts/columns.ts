import type { Snapshot } from '../model/snapshot.js';
import type { Signal } from '../signals/signal.js';
import type { Beside, Gauge, Memory } from './past.js';
import type { SubjectTable } from './subject-table.js';

/** The numbers of one gauge by slot, as of the last read. NaN: not known, or not there. */
export interface Column {
  readonly gauge: Gauge;
  readonly table: SubjectTable;
  readonly values: Float64Array;
  /** Of the values that are known: a rule whose threshold lies beyond it need not look at each. */
  readonly range: ValueRange;
}

/** Where nothing is known, `lowest` is Infinity and `highest` -Infinity. */
export interface ValueRange {
  readonly lowest: number;
  readonly highest: number;
}

export function rangeOf(values: Float64Array): ValueRange {
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (let slot = 0; slot < values.length; slot++) {
    const value = values[slot] as number;
    if (value < lowest) lowest = value;
    if (value > highest) highest = value;
  }
  return { lowest, highest };
}

/** Values by slot of a signal. The order of `read` is that of the Snapshot, as the table's is. */
export function readSignal(
  signal: Signal,
  snapshot: Snapshot,
  nowMs: number,
  { order, subjects }: SubjectTable,
): Float64Array {
  const values = new Float64Array(subjects.length).fill(Number.NaN);
  let i = 0;
  const put = (value: number | null): void => {
    const slot = order[i++] ?? -1;
    if (slot >= 0 && value !== null) values[slot] = value;
  };
  if (signal.scope === 'instance') put(signal.read(snapshot, nowMs));
  else if (signal.scope === 'node')
    for (const node of snapshot.nodes) put(signal.read(node, snapshot, nowMs));
  else if (signal.scope === 'queue')
    for (const queue of snapshot.queues) put(signal.read(queue, snapshot, nowMs));
  else
    for (const queue of snapshot.queues)
      for (const type of queue.types) put(signal.read(type, queue, snapshot));
  return values;
}

/** The numbers of a gauge that is more than its signal, with what it keeps of each subject. */
export class DerivedColumn implements Column {
  readonly gauge: Gauge;
  readonly table: SubjectTable;
  values = new Float64Array(0);
  range: ValueRange = rangeOf(this.values);
  readonly #memories: (Memory | undefined)[] = [];

  constructor(gauge: Gauge, table: SubjectTable) {
    this.gauge = gauge;
    this.table = table;
  }

  /** @param limitOf what Redis may hold, for a slot. */
  derive(
    own: Float64Array,
    second: Float64Array | null,
    limitOf: (slot: number) => number,
    nowMs: number,
  ): void {
    const { remember } = this.gauge;
    // Hundreds of these a tick: what was there before is used again.
    const values = this.values.length === own.length ? this.values : new Float64Array(own.length);
    values.fill(Number.NaN);
    const beside: { -readonly [K in keyof Beside]: number } = { limitBytes: Number.NaN, second: Number.NaN };
    for (const slot of this.table.order) {
      if (slot < 0 || !remember) continue;
      let memory = this.#memories[slot];
      if (memory === undefined) {
        memory = remember();
        this.#memories[slot] = memory;
      }
      beside.limitBytes = limitOf(slot);
      beside.second = second?.[slot] ?? Number.NaN;
      values[slot] = memory.next(own[slot] ?? Number.NaN, nowMs, beside);
    }
    this.values = values;
    this.range = rangeOf(values);
  }
}

/**
 * What a row is judged by: `ratio`, value over peer, what else the machine does being the same for both; `cost`, its value
 * (CPU, memory, a count); `time`, wall time, which is held to its limit but not compared with earlier runs.
 */
type Kind = 'ratio' | 'cost' | 'time';

/** One figure of a run. Lower is better in every row. */
export interface Row extends More {
  /** What later runs find it by: stays as long as the same is measured in the same way. */
  readonly id: string;
  readonly what: string;
  readonly kind: Kind;
  readonly unit: string;
  readonly value: number;
  /** In the same unit; required of a `ratio`. */
  readonly peer?: number;
  /** What is judged, measured several times within this run. */
  readonly repeats?: readonly number[];
}

interface More {
  /** What is judged must not be above it. */
  readonly limit?: number;
  /** What belongs to the value, or to that of the peer, in words. */
  readonly detail?: string;
  readonly peerDetail?: string;
}

/** A row of what something costs. Measured several times, its value is the median. */
export function cost(
  id: string,
  what: string,
  unit: string,
  measured: number | readonly number[],
  more: More = {},
): Row {
  const figures =
    typeof measured === 'number' ? { value: measured } : { value: medianOf(measured), repeats: measured };
  return { id, what, kind: 'cost', unit, ...figures, ...more };
}

/** A row of how long something takes, or of what depends on that. */
export function time(
  id: string,
  what: string,
  unit: string,
  value: number,
  more: More & { readonly peer?: number } = {},
): Row {
  return { id, what, kind: 'time', unit, value, ...more };
}

/** A row of both by turns, each with its median. */
export function ratio(
  id: string,
  what: string,
  unit: string,
  ours: readonly number[],
  theirs: readonly number[],
  more: More = {},
): Row {
  const repeats = ours.map((own, i) => own / (theirs[i] ?? Number.NaN));
  return { id, what, kind: 'ratio', unit, value: medianOf(ours), peer: medianOf(theirs), repeats, ...more };
}

/** What a row is judged by. @throws Error when it is not a number: unknown is never zero. */
export function figureOf({ id, kind, value, peer }: Pick<Row, 'id' | 'kind' | 'value' | 'peer'>): number {
  const figure = kind === 'ratio' ? value / (peer ?? Number.NaN) : value;
  if (!Number.isFinite(figure)) throw new Error(`${id} was not measured: ${value} beside ${peer}`);
  return figure;
}

export function quantileOf(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

export function medianOf(values: readonly number[]): number {
  return quantileOf(values, 0.5);
}

/** Takes a line about how far a run is. */
export type Say = (line: string) => void;

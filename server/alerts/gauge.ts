import type { Side } from './rule.js';

/** What a subject's number may be judged by besides its own signal. */
export interface Beside {
  /** What Redis may hold: of the process that it is about, else of the smallest one. NaN: not known. */
  readonly limitBytes: number;
  /** Value of the gauge's second signal. NaN: none, or not known. */
  readonly second: number;
}

/** Memories must not keep `Beside`: it is used again for the next subject. */
export type ReadBeside = (value: number, beside: Beside) => number;

/** What a gauge keeps of one subject, to tell its next number from. */
export interface Memory {
  /** @returns NaN: can't be told (yet). */
  next(value: number, nowMs: number, beside: Beside): number;
}

/** A number of a subject that rules compare. Rules whose gauges have the same key share the work. */
export interface Gauge {
  readonly key: string;
  readonly signal: string;
  readonly second: string | null;
  /** Makes the memory of one subject; null: the number is the signal itself. */
  readonly remember: (() => Memory) | null;
}

/** A gauge with where it is bad and where it is good again. */
export interface Watching {
  readonly gauge: Gauge;
  readonly is: Side;
  readonly threshold: number;
  readonly clear: number;
  /** What a number that is not known says: nothing, or that there is nothing to measure. */
  readonly whenUnknown: 'hold' | 'clear';
}

/** A memory for what needs none. */
export function forgetful(of: ReadBeside): () => Memory {
  const memory: Memory = { next: (value, _nowMs, beside) => of(value, beside) };
  return () => memory;
}

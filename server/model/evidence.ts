import type { FormatUnit } from './format.js';

/** A number or a text that a finding, or a verdict on a worker, rests on. */
export interface Evidence {
  /** What it is, in words that stay (`oldest-waited`): all that decides goes by it. Pieces of a list may share one. */
  readonly name: string;
  /** The same for people: it may be worded anew at any time. */
  readonly label: string;
  readonly value: number | string;
  /** Where `value` is an estimate: the truth lies within ± this in 95 of 100 cases, in the same unit. */
  readonly error?: number;
  readonly unit?: EvidenceUnit;
}

type EvidenceUnit = Exclude<FormatUnit, 'bool'>;

/** @example fact('oldest-waited', 'oldest has waited', 90, 'seconds') */
export function fact(name: string, label: string, value: number | string, unit?: EvidenceUnit): Evidence {
  return unit === undefined ? { name, label, value } : { name, label, value, unit };
}

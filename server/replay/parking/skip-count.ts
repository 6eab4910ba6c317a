import type { SkipReason } from '../parking-skip.js';
import type { Skipped } from './parking.js';

/** Counts what a pass looked at and left, by reason. */
export class SkipCount {
  looked: number;
  #counts = new Map<SkipReason, number>();

  constructor(looked: number) {
    this.looked = looked;
  }

  /** A new pass meets the same jobs again. */
  begin(): void {
    this.looked = 0;
    this.#counts = new Map();
  }

  look(jobs: number): void {
    this.looked += jobs;
  }

  add(reason: SkipReason, jobs: number): void {
    if (jobs > 0) this.#counts.set(reason, this.of(reason) + jobs);
  }

  of(reason: SkipReason): number {
    return this.#counts.get(reason) ?? 0;
  }

  get skipped(): Skipped {
    return Object.fromEntries(this.#counts);
  }
}

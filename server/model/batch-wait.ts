/** Client-side batching: runs that wait for others, and end together at a constant wall. */
export interface BatchWait {
  /** The timer of the client: runs take this long where the batch does not fill. */
  readonly wallMs: number;
  /** Slots per process at which the batch fills; null: not known yet. */
  readonly batchSize: number | null;
  /** Batches of so many were seen that waited for the timer: it takes more than that. */
  readonly batchSizeAtLeast: number;
  /** 0..1 */
  readonly confidence: number;
  readonly evidence: BatchEvidence;
  /** Concurrency is below the batch size: every batch waits for the timer. */
  readonly isStarved: boolean;
}

export interface BatchEvidence {
  readonly runs: number;
  readonly processes: number;
  readonly bursts: number;
  readonly medianBurstSize: number;
  /** Share of runs that end together with others of their process, and what chance alone would give. */
  readonly syncRatio: number;
  readonly chanceRatio: number;
  /** Share of runs within a few percent of the wall. */
  readonly shareAtWall: number;
  readonly wallSpreadRatio: number;
  /** Within a burst: spread of the ends and of the starts. */
  readonly endSpreadMs: number;
  readonly startSpreadMs: number;
}

/**
 * What one process starts per second while jobs wait for it and some of them wait for a batch.
 *
 * A batching job holds its slot until the batch is sent. With f slots left to other jobs (busy for S each), f / S starts
 * happen a second, and a share p of them batches and takes one more slot away: f falls as e^(−p·t/S). So either held
 * slots reach the batch size, or nearly all slots are held and the process stands still until the wall.
 */
export interface BatchProcess {
  readonly slots: number;
  /** p, 0..1, above 0. */
  readonly batchShare: number;
  /** S, of jobs that don't batch. */
  readonly plainMs: number;
  readonly wallMs: number;
  /** Busy time of a batch once it is sent. */
  readonly runMs: number;
}

/**
 * Starts per second where batches are sent at the wall: each cycle the slots that are held at its end.
 * With p = 1: slots / (wall + run).
 * @param batchSize the most that a batch holds; null: not known.
 */
export function startsAtTheWall(process: BatchProcess, batchSize: number | null): number {
  const { slots, batchShare: p, plainMs, wallMs, runMs } = process;
  const decay = Math.exp((-p * wallMs) / plainMs);
  // In balance: f after a flush = what was left + the plain share of the slots that were given back.
  const freeAfterFlush = (slots * (1 - p)) / (1 - p * decay);
  const held = slots - freeAfterFlush * decay;
  const sent = batchSize === null ? held : Math.min(held, batchSize);
  return (sent * 1000) / (p * (wallMs + runMs));
}

/** Slots are whole: when less than one is left to others, the last of these has still to end. */
const HALF_A_SLOT = 0.5;

/**
 * Starts per second where batches fill; 0 where a process has fewer slots than a batch has jobs, or where filling takes
 * longer than the wall. With p = 1: as many whole batches as fit into the slots, each busy for its run time.
 */
export function startsWhenFilled(process: BatchProcess, batchSize: number): number {
  const { slots, batchShare: p, plainMs, wallMs, runMs } = process;
  const batchesThatFit = Math.floor(slots / batchSize + 1e-9);
  if (batchesThatFit < 1) return 0;
  const left = Math.max(0, slots - batchSize);
  const givenBack = batchSize * (1 - p);
  const ageing = plainMs / p;
  // While the batch runs, the others go on with what is left; then its slots come back and the next one fills.
  const leftAfterRun = left * Math.exp(-runMs / ageing);
  const refill = ageing * Math.log((leftAfterRun + givenBack + HALF_A_SLOT) / (left + HALF_A_SLOT));
  const cycleMs =
    p < 1 && refill > 0
      ? runMs + refill
      : Math.max(runMs / batchesThatFit, overlapping(process, batchSize, givenBack));
  if (cycleMs > wallMs + runMs) return 0;
  return (batchSize * 1000) / (p * cycleMs);
}

/** Time between batches of which several run at once: L = S/p · ln(1 + given back / left), left = slots − size·run/L. */
function overlapping(process: BatchProcess, batchSize: number, givenBack: number): number {
  const { slots, batchShare: p, plainMs, runMs } = process;
  let low = (batchSize * runMs) / slots;
  let high = runMs;
  for (let i = 0; i < 40; i++) {
    const cycle = (low + high) / 2;
    const left = Math.max(0, slots - (batchSize * runMs) / cycle);
    const fill = (plainMs / p) * Math.log((left + givenBack + HALF_A_SLOT) / (left + HALF_A_SLOT));
    if (fill > cycle) low = cycle;
    else high = cycle;
  }
  return high;
}

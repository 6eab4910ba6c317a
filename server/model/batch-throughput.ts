/** Jobs that wait for a client that gathers `batchSize` requests or waits, in each of `processes` processes. */
export interface BatchThroughputInput {
  readonly slotsPerProcess: number;
  readonly processes: number;
  /** A run whose batch waits for the timer: the client's wait and what the sending takes (BatchWait.wallMs). */
  readonly wallMs: number;
  /** null: not known; then no number of slots is taken to fill a batch. */
  readonly batchSize: number | null;
  /** A run whose batch is sent at once: what the job does itself, sending and answer. */
  readonly serviceMs: number;
  /** Over all processes; null: more wait than can be taken. */
  readonly arrivalsPerSecond: number | null;
}

/**
 * Jobs per second that complete, over all processes. With a backlog each slot does one run after the other: slots / wall
 * below the batch size; from there on a batch fills at once, so that slots / service: a jump of wall / service, 100 and
 * more (algorithms.md d; drained 100,000 jobs in a minute in incidents.md, 1). Never more than arrive. Pure.
 *
 * An upper bound from the batch size on: what the far side and the process itself can do is not in it.
 * @returns 0 where there are no slots.
 */
export function batchThroughputPerSecond(input: BatchThroughputInput): number {
  const { slotsPerProcess, processes, arrivalsPerSecond } = input;
  const runMs = saturatedRunMs(input);
  const capacity = runMs > 0 ? (Math.max(0, slotsPerProcess) * Math.max(0, processes) * 1000) / runMs : 0;
  return arrivalsPerSecond === null ? capacity : Math.min(capacity, Math.max(0, arrivalsPerSecond));
}

/**
 * How long a run takes on average, ms. With a backlog the wall or the service time, as above. Where jobs come slower than
 * that, a batch fills when enough have come: the first of n members waits all the time, the others half of it on average.
 * Never longer than the wall. Pure.
 */
export function runMsAt(input: BatchThroughputInput): number {
  const { arrivalsPerSecond, processes, batchSize, slotsPerProcess, serviceMs } = input;
  const saturatedMs = saturatedRunMs(input);
  if (arrivalsPerSecond === null || processes <= 0) return saturatedMs;
  const perMs = Math.max(0, arrivalsPerSecond) / processes / 1000;
  // As many as arrive while they run: then slots are always busy, and how jobs come does not matter (Little's law).
  if (perMs * saturatedMs >= slotsPerProcess) return saturatedMs;
  const timerMs = Math.max(0, input.wallMs - serviceMs);
  const fillMs = batchSize === null || perMs === 0 ? Number.POSITIVE_INFINITY : (batchSize - 1) / perMs;
  if (fillMs <= timerMs && batchSize !== null && slotsPerProcess >= batchSize) return serviceMs + fillMs / 2;
  const others = perMs * timerMs;
  return serviceMs + (timerMs * (1 + others / 2)) / (1 + others);
}

function saturatedRunMs({ slotsPerProcess, batchSize, wallMs, serviceMs }: BatchThroughputInput): number {
  return batchSize !== null && slotsPerProcess >= batchSize ? Math.min(serviceMs, wallMs) : wallMs;
}

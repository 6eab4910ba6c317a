/** What a drain estimate needs: jobs that workers could take now, and the two rates per second. */
export interface DrainInput {
  readonly backlog: number;
  readonly arrivalsPerSecond: number;
  readonly departuresPerSecond: number;
}

/**
 * Seconds until the backlog is gone at the present rates: backlog / (departures − arrivals).
 * @returns null when there is nothing to drain or a rate is not a number; Infinity when it never drains at these rates.
 */
export function estimateDrainSeconds(input: DrainInput): number | null {
  const { backlog, arrivalsPerSecond, departuresPerSecond } = input;
  if (!Number.isFinite(arrivalsPerSecond) || !Number.isFinite(departuresPerSecond)) return null;
  if (!(backlog > 0)) return null;
  const net = Math.max(0, departuresPerSecond) - Math.max(0, arrivalsPerSecond);
  return net > 0 ? backlog / net : Number.POSITIVE_INFINITY;
}

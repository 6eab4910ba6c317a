import { type Stratum, studentFactor } from './stratum.js';

/** A share by estimate, 0..1; the truth lies from low to high in 95 of 100 cases. */
export interface ShareRange {
  readonly share: number;
  readonly low: number;
  readonly high: number;
}

/**
 * The share of a part of a state's jobs, by the weight of it among all that were looked at: Wilson's interval (1927), which
 * does not lie evenly about the share: one job of one tells next to nothing, and 20 of 20 are at least 82%. Of few looks it
 * is wider still (studentFactor).
 */
export function shareRange(
  stratum: Pick<Stratum, 'weight' | 'effectiveSamples' | 'isCensus'>,
  partWeight: number,
): ShareRange {
  const { weight, effectiveSamples: n } = stratum;
  if (weight <= 0 || n <= 0) return { share: 0, low: 0, high: 1 };
  const share = Math.min(1, partWeight / weight);
  if (stratum.isCensus) return { share, low: share, high: share };
  const z = studentFactor(n);
  const centre = (share + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half = (z / (1 + (z * z) / n)) * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n));
  return {
    share,
    low: Math.max(0, Math.min(share, centre - half)),
    high: Math.min(1, Math.max(share, centre + half)),
  };
}

import type { TenantShare } from './tenant-share.js';
import { NOT_TENANTS } from './tenant-text.js';

export interface DominantTenant {
  readonly tenant: string;
  /** Of the jobs that wait or run, 0..1. */
  readonly shareRatio: number;
  /** The truth is at least `shareRatio` − `error`, in 95 of 100 cases. */
  readonly error: number;
}

/** From this share on the rest of all tenants together have less. */
const DOMINANT_RATIO = 0.5;

/**
 * The tenant that surely holds half of a queue's backlog or more: its share less the error is at least 0.5.
 * @param tenants of QueueState; null: not configured.
 * @returns null where there is none, or where too few jobs were looked at to be sure.
 */
export function dominantTenant(tenants: readonly TenantShare[] | null): DominantTenant | null {
  for (const { tenant, jobs, shareOfBacklog } of tenants ?? []) {
    if (NOT_TENANTS.has(tenant) || jobs.value <= 0) continue;
    const error = shareOfBacklog * (1 - jobs.low / jobs.value);
    if (shareOfBacklog - error >= DOMINANT_RATIO) return { tenant, shareRatio: shareOfBacklog, error };
  }
  return null;
}

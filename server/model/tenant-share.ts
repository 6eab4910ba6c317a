import type { Estimate } from './job-type.js';
import type { Bytes } from './memory.js';

/**
 * What one tenant has in a queue: jobs that wait (in order, by priority or paused) or run; those that are delayed or wait for
 * children are not looked at. `tenant` is text from job data (at most 80 characters), or one of NOT_TENANTS.
 */
export interface TenantShare extends Bytes {
  readonly tenant: string;
  readonly jobs: Estimate;
  /** Of all jobs of the queue that wait or run, 0..1. */
  readonly shareOfBacklog: number;
}

import type { QueueState } from '../model/snapshot.js';
import type { TenantShare } from '../model/tenant-share.js';
import { stateKeys } from '../redis/queue-keys.js';
import { hasTenants, type TenantReading } from '../redis/read-tenants.js';
import type { TenantNeed } from '../redis/tenant-plan.js';
import { addTenant, fadeTenants, noTenants, type SampledTenants, tenantLooks } from './sampled-tenants.js';
import { tenantSharesOf } from './tenant-shares.js';

/** What was so of a queue when one of its states was looked at. */
interface At {
  readonly atMs: number;
  readonly count: number;
  readonly addedTotal: number;
  readonly finishedTotal: number;
}
type Progress = Pick<QueueState, 'addedTotal' | 'unfinished'>;

/** Tenants of one queue over time. */
export class TenantSamples {
  readonly #states = new Map<string, SampledTenants>();
  readonly #at = new Map<string, At>();

  /** @param queue as it was when its jobs were drawn. */
  take(reading: TenantReading, queue: Progress, nowMs: number): void {
    const known = this.#states.get(reading.key);
    const sampled = known && !reading.isCensus ? known : noTenants();
    if (sampled === known)
      fadeTenants(sampled, this.#keptRatio({ ...reading, isActive: isActive(reading.key) }, queue));
    sampled.isCensus = reading.isCensus;
    for (const { tenant, bytes } of reading.jobs) addTenant(sampled, tenant, bytes);
    this.#states.set(reading.key, sampled);
    this.#at.set(reading.key, {
      atMs: nowMs,
      count: reading.count,
      addedTotal: queue.addedTotal,
      finishedTotal: finishedTotal(queue),
    });
  }

  needs(queue: QueueState, nowMs: number): readonly TenantNeed[] {
    return stateKeys(queue.id, queue.counts)
      .filter(hasTenants)
      .map(({ key, count, state }) => {
        const sampled = this.#states.get(key);
        const keptRatio = this.#keptRatio({ key, count, isActive: state === 'active' }, queue);
        return {
          key,
          count,
          samples: sampled ? tenantLooks(sampled) * keptRatio : 0,
          isCensus: (sampled?.isCensus ?? false) && keptRatio === 1,
          ageMs: nowMs - (this.#at.get(key)?.atMs ?? Number.NEGATIVE_INFINITY),
        };
      });
  }

  /** Those with most jobs first, by what was looked at and the counts of now. */
  shares(queue: QueueState): readonly TenantShare[] {
    const keys = stateKeys(queue.id, queue.counts).filter(hasTenants);
    return tenantSharesOf(
      keys.map(({ key, count, state }) => ({
        count,
        sampled: this.#states.get(key) ?? null,
        keptRatio: this.#keptRatio({ key, count, isActive: state === 'active' }, queue),
      })),
    );
  }

  /**
   * How much of what was seen of a state still holds, 0..1: jobs that came since were not in it, and those that left may
   * have been of one tenant, as who came first leaves first. A running job's place is taken when it ends.
   */
  #keptRatio(
    state: { readonly key: string; readonly count: number; readonly isActive: boolean },
    queue: Progress,
  ): number {
    const at = this.#at.get(state.key);
    if (!at) return 0;
    const came = state.isActive ? 0 : queue.addedTotal - at.addedTotal;
    const left = finishedTotal(queue) - at.finishedTotal;
    return restOf(came, state.count) * restOf(left, at.count);
  }
}

function restOf(part: number, whole: number): number {
  return 1 - Math.min(1, Math.max(0, part) / Math.max(1, whole));
}

function finishedTotal({ addedTotal, unfinished }: Progress): number {
  return addedTotal - unfinished;
}

function isActive(key: string): boolean {
  return key.endsWith(':active');
}

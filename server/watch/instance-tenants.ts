import type { TenantShare } from '../model/job-type.js';
import type { Redactor } from '../model/redact.js';
import type { QueueState } from '../model/snapshot.js';
import { parseTenantField } from '../model/tenant-text.js';
import type { NodeClient } from '../redis/connect.js';
import { stateKeys } from '../redis/queue-keys.js';
import type { TenantNeed } from '../redis/read-tenants.js';
import {
  byUrgency,
  hasTenants,
  planTenantSamples,
  readTenants,
  type TenantReading,
} from '../redis/read-tenants.js';
import type { QueueSample } from '../redis/sample-jobs.js';
import { effectiveSamples, fadeSample, type JobSample, newSample } from './sampled-state.js';
import { addTenant, tenantSharesOf } from './tenant-shares.js';

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
  readonly #states = new Map<string, JobSample>();
  readonly #at = new Map<string, At>();

  /** @param queue as it was when its jobs were drawn. */
  take(reading: TenantReading, queue: Progress, nowMs: number): void {
    const known = this.#states.get(reading.key);
    const sampled = known && !reading.isCensus ? known : newSample();
    if (sampled === known)
      fadeSample(sampled, this.#keptRatio({ ...reading, isActive: isActive(reading.key) }, queue));
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
          samples: sampled ? effectiveSamples(sampled) * keptRatio : 0,
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

/** Jobs looked at in one tick for tenants alone; at most half as many as for memory. */
const MAX_JOBS = 60;

/** Tenants of the queues of one Redis, by a field of job data that its configuration names. */
export class InstanceTenants {
  readonly #path: readonly string[];
  readonly #random: () => number;
  readonly #redactor: Redactor | null;
  readonly #queues = new Map<string, TenantSamples>();
  /** Keys of states as the last plan ordered them. */
  #urgent: readonly string[] = [];

  /** @returns null where no field is named: then job data are never read. */
  static of(field: string | null, random: () => number, redactor: Redactor | null): InstanceTenants | null {
    const path = field === null ? null : parseTenantField(field);
    return path && new InstanceTenants(path, random, redactor);
  }

  private constructor(path: readonly string[], random: () => number, redactor: Redactor | null) {
    this.#path = path;
    this.#redactor = redactor;
    this.#random = random;
  }

  /** Decides what is to be looked at next. @returns samples by key, with those added that tenants are to be known from. */
  plan(
    queues: readonly QueueState[],
    plan: ReadonlyMap<string, number>,
    budgetJobs: number,
    nowMs: number,
  ): ReadonlyMap<string, number> {
    const needs = queues.flatMap((queue) => this.#of(queue.id).needs(queue, nowMs));
    const urgent = byUrgency(needs);
    const more = Math.min(MAX_JOBS, Math.floor(budgetJobs / 2));
    this.#urgent = urgent.map(({ key }) => key);
    return planTenantSamples(urgent, plan, more);
  }

  /** Reads tenants of jobs that were sampled. @returns the commands that were sent. */
  async read(
    client: NodeClient,
    samples: readonly QueueSample[],
    queues: readonly QueueState[],
    nowMs: number,
  ): Promise<ReadonlyMap<string, number>> {
    const { readings, calls } = await readTenants(
      client,
      samples,
      this.#path,
      this.#urgent,
      this.#random,
      this.#redactor,
    );
    const byId = new Map(queues.map((queue) => [queue.id, queue]));
    for (const reading of readings) {
      const queue = byId.get(reading.queueId);
      if (queue) this.#of(reading.queueId).take(reading, queue, nowMs);
    }
    return calls;
  }

  shares(queue: QueueState): readonly TenantShare[] {
    return this.#of(queue.id).shares(queue);
  }

  forgetAllBut(ids: { has(id: string): boolean }): void {
    for (const id of this.#queues.keys()) if (!ids.has(id)) this.#queues.delete(id);
  }

  #of(queueId: string): TenantSamples {
    const known = this.#queues.get(queueId);
    if (known) return known;
    const made = new TenantSamples();
    this.#queues.set(queueId, made);
    return made;
  }
}

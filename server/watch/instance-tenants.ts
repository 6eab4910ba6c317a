import type { QueueState } from '../model/snapshot.js';
import type { TenantShare } from '../model/tenant-share.js';
import { parseTenantField } from '../model/tenant-text.js';
import type { NodeClient } from '../redis/connect.js';
import { readTenants } from '../redis/read-tenants.js';
import type { QueueSample } from '../redis/sample-jobs.js';
import { byUrgency, planTenantSamples } from '../redis/tenant-plan.js';
import { TenantSamples } from './tenant-samples.js';

/** Jobs looked at in one tick for tenants alone; at most half as many as for memory. */
const MAX_JOBS = 60;

/** Tenants of the queues of one Redis, by a field of job data that its configuration names. */
export class InstanceTenants {
  readonly #path: readonly string[];
  readonly #random: () => number;
  readonly #queues = new Map<string, TenantSamples>();
  /** Keys of states as the last plan ordered them. */
  #urgent: readonly string[] = [];

  /** @returns null where no field is named: then job data are never read. */
  static of(field: string | null, random: () => number): InstanceTenants | null {
    const path = field === null ? null : parseTenantField(field);
    return path && new InstanceTenants(path, random);
  }

  private constructor(path: readonly string[], random: () => number) {
    this.#path = path;
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
    const { readings, calls } = await readTenants(client, samples, this.#path, this.#urgent, this.#random);
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

import type { TenantShare } from '../model/job-type.js';
import type { QueueState } from '../model/snapshot.js';
import type { NodeClient } from '../redis/connect.js';
import { stateKeys } from '../redis/queue-keys.js';
import { type SampleRequest, sampleJobs } from '../redis/sample-jobs.js';
import type { InstanceTenants } from './instance-tenants.js';
import { QueueSamples } from './queue-samples.js';
import { planSampling } from './sampling-plan.js';

/** Jobs looked at in one tick: more would keep Redis and the console at it for too long at once. */
const FEWEST_JOBS = 8;
const MAX_JOBS = 4_000;
const FIRST_MAX_JOBS = 2_000;
/** What a tick may take for it: the whole of a read is given up after 2.5 s. */
const LONGEST_MS = 400;
/** Until it was measured. [run: 6 to 9 µs] */
const FIRST_JOB_USEC = 8;
/** Queues whose keys beside jobs are measured in one tick. */
const MAX_STRUCTURES = 40;
/**
 * To weigh so many queues against each other takes the console longer than to look: with many it is done every third tick, for
 * as much, and where nothing was wanted the last time, every fifth.
 */
const SOME_QUEUES = 200;
const MANY_QUEUES = 2_000;
const MANY_EVERY_TICKS = 3;
const SATED_EVERY_TICKS = 5;

/** Where ids are too long for as few as that, or soon again: each try costs the connection. */
const REST_MS = 60_000;

/** Of a queue that was not looked at yet. */
const NO_SAMPLES = new QueueSamples();

/** What may be spent on a Redis, and who keeps the account of it. */
interface ReadActivity {
  /** µs of Redis. */
  readonly leftUsec: number;
  pay(calls: ReadonlyMap<string, number>): void;
}

/** Whose jobs are looked at in each tick, within the budget of reads; and what has been seen of each queue. */
export class InstanceSampler {
  readonly #queues = new Map<string, QueueSamples>();
  readonly #random: () => number;
  readonly #tenants: InstanceTenants | null;
  #jobUsec = FIRST_JOB_USEC;
  #maxJobs = FIRST_MAX_JOBS;
  #rested = 0;
  #restsUntilMs = Number.NEGATIVE_INFINITY;
  #tooLargeAtMs = Number.NEGATIVE_INFINITY;
  /** Nothing was wanted when it was last weighed up. */
  #isSated = false;

  /**
   * @param random 0 ≤ x < 1
   * @param tenants null: job data are never read.
   */
  constructor(random: () => number, tenants: InstanceTenants | null) {
    this.#random = random;
    this.#tenants = tenants;
  }

  of(queueId: string): QueueSamples | null {
    return this.#queues.get(queueId) ?? null;
  }

  /** null: no field of job data is named for it. */
  tenantsOf(queue: QueueState): readonly TenantShare[] | null {
    return this.#tenants?.shares(queue) ?? null;
  }

  /**
   * One tick's samples of the queues that lie on one master, for as much as is left to spend on it: each master has a
   * processor of its own to spare.
   * @param mayReadData tenants may be looked for, which takes job data.
   * @returns ids of the queues that were looked at.
   */
  async sample(
    client: NodeClient,
    queues: readonly QueueState[],
    node: ReadActivity,
    nowMs: number,
    mayReadData: boolean,
  ): Promise<readonly string[]> {
    if (nowMs < this.#restsUntilMs) return [];
    const affordable = Math.floor(node.leftUsec / this.#jobUsec);
    if (affordable < FEWEST_JOBS) return [];
    const everyTicks =
      queues.length > SOME_QUEUES && this.#isSated
        ? SATED_EVERY_TICKS
        : queues.length > MANY_QUEUES
          ? MANY_EVERY_TICKS
          : 1;
    if (++this.#rested < everyTicks) return [];
    this.#rested = 0;
    const tenants = mayReadData ? this.#tenants : null;
    const requests = this.#requests(queues, Math.min(this.#maxJobs, affordable), nowMs, tenants);
    this.#isSated = requests.length === 0;
    if (this.#isSated) return [];
    const startedAt = performance.now();
    const { samples, calls, isTooLarge } = await sampleJobs(client, requests, this.#random);
    if (isTooLarge) {
      node.pay(calls);
      if (nowMs - this.#tooLargeAtMs < REST_MS) this.#restsUntilMs = nowMs + REST_MS;
      this.#maxJobs = FEWEST_JOBS;
      this.#tooLargeAtMs = nowMs;
      return [];
    }
    const isLong = performance.now() - startedAt > LONGEST_MS;
    this.#maxJobs = isLong
      ? Math.max(FEWEST_JOBS, this.#maxJobs / 2)
      : Math.min(MAX_JOBS, this.#maxJobs * 1.25);
    const before = node.leftUsec;
    node.pay(calls);
    const jobs = samples.reduce(
      (sum, { states }) => sum + states.reduce((all, state) => all + state.jobs.length, 0),
      0,
    );
    // What is beside jobs is in it: it comes with them.
    if (jobs >= FEWEST_JOBS) this.#jobUsec = this.#jobUsec * 0.7 + ((before - node.leftUsec) / jobs) * 0.3;
    const sampled = requests.map(({ queue }) => queue);
    node.pay((await tenants?.read(client, samples, sampled, nowMs)) ?? new Map());
    // In the order of the requests.
    sampled.forEach((queue, i) => {
      const sample = samples[i];
      const known = this.#queues.get(queue.id) ?? new QueueSamples();
      if (sample) known.take(sample, queue, nowMs);
      this.#queues.set(queue.id, known);
    });
    return samples.map(({ id }) => id);
  }

  forgetAllBut(ids: { has(id: string): boolean }): void {
    this.#tenants?.forgetAllBut(ids);
    for (const id of this.#queues.keys()) {
      if (!ids.has(id)) this.#queues.delete(id);
    }
  }

  #requests(
    queues: readonly QueueState[],
    budgetJobs: number,
    nowMs: number,
    tenants: InstanceTenants | null,
  ): readonly (SampleRequest & { readonly queue: QueueState })[] {
    const all = queues.map((queue) => ({
      queue,
      keys: stateKeys(queue.id, queue.counts),
      known: this.#queues.get(queue.id) ?? NO_SAMPLES,
    }));
    const needs = all.flatMap(({ queue, keys, known }) => keys.map((key) => known.need(queue, key, nowMs)));
    const forMemory = planSampling(needs, budgetJobs);
    const plan = tenants?.plan(queues, forMemory, budgetJobs, nowMs) ?? forMemory;
    let structures = 0;
    return all.flatMap(({ queue, keys, known }) => {
      const isPlanned = keys.some(({ key }) => plan.has(key));
      const withStructure =
        structures < MAX_STRUCTURES && (isPlanned || keys.length === 0) && known.isStructureDue(queue, nowMs);
      if (!isPlanned && !withStructure) return [];
      if (withStructure) structures += 1;
      // With the structure every list is measured, also those that are not sampled now.
      const states = keys.flatMap((key) => {
        const samples = plan.get(key.key);
        return samples === undefined && !withStructure ? [] : { ...key, samples: samples ?? 0 };
      });
      return { id: queue.id, queue, states, withStructure };
    });
  }
}

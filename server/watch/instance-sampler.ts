import type { TenantShare } from '../model/job-type.js';
import type { QueueState } from '../model/snapshot.js';
import type { NodeClient } from '../redis/connect.js';
import { type StateKey, stateKeys } from '../redis/queue-keys.js';
import { type SampleRequest, sampleJobs } from '../redis/sample-jobs.js';
import { InstanceTenants } from './instance-tenants.js';
import { QueueSamples } from './queue-samples.js';
import { planSampling, type SamplingNeed } from './sampling-plan.js';

/** Jobs looked at in one tick: more would keep Redis and the console at it for too long at once. */
const FEWEST_JOBS = 8;
const MAX_JOBS = 4_000;
const FIRST_MOST_JOBS = 2_000;
/** What a tick may take for it: the whole of a read is given up after 2.5 s. */
const LONGEST_MS = 400;
/** Until it was measured. [run: 6 to 9 µs] */
const FIRST_JOB_USEC = 8;
const STRUCTURE_EVERY_MS = 20_000;
/** The same where no job and no event has come or gone. */
const UNCHANGED_STRUCTURE_EVERY_MS = 180_000;
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

/** What may be spent on a Redis, and who keeps the account of it. */
export interface ReadActivity {
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
  #mostJobs = FIRST_MOST_JOBS;
  #rested = 0;
  #restsUntilMs = Number.NEGATIVE_INFINITY;
  #tooLargeAtMs = Number.NEGATIVE_INFINITY;
  /** Nothing was wanted when it was last weighed up. */
  #isSated = false;

  /**
   * @param random 0 ≤ x < 1
   * @param tenantField where job data name the tenant; null: job data are never read.
   */
  constructor(random: () => number, tenantField: string | null) {
    this.#random = random;
    this.#tenants = InstanceTenants.of(tenantField, random);
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
    const requests = this.#requests(queues, Math.min(this.#mostJobs, affordable), nowMs, tenants);
    this.#isSated = requests.length === 0;
    if (this.#isSated) return [];
    const startedAt = performance.now();
    const { samples, calls, isTooLarge } = await sampleJobs(client, requests, this.#random);
    if (isTooLarge) {
      node.pay(calls);
      if (nowMs - this.#tooLargeAtMs < REST_MS) this.#restsUntilMs = nowMs + REST_MS;
      this.#mostJobs = FEWEST_JOBS;
      this.#tooLargeAtMs = nowMs;
      return [];
    }
    const isLong = performance.now() - startedAt > LONGEST_MS;
    this.#mostJobs = isLong
      ? Math.max(FEWEST_JOBS, this.#mostJobs / 2)
      : Math.min(MAX_JOBS, this.#mostJobs * 1.25);
    const before = node.leftUsec;
    node.pay(calls);
    const jobs = samples.reduce(
      (sum, { states }) => sum + states.reduce((all, state) => all + state.jobs.length, 0),
      0,
    );
    // What is beside jobs is in it: it comes with them.
    if (jobs >= FEWEST_JOBS) this.#jobUsec = this.#jobUsec * 0.7 + ((before - node.leftUsec) / jobs) * 0.3;
    node.pay((await tenants?.read(client, samples, queues, nowMs)) ?? new Map());
    const wanted = new Set(samples.map(({ id }) => id));
    const sampled = new Map(queues.filter(({ id }) => wanted.has(id)).map((queue) => [queue.id, queue]));
    for (const sample of samples) {
      const queue = sampled.get(sample.id);
      const known = this.#queues.get(sample.id) ?? new QueueSamples();
      known.take(sample, queue?.addedTotal ?? 0, queue ? markOf(queue) : null, nowMs);
      this.#queues.set(sample.id, known);
    }
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
  ): readonly SampleRequest[] {
    const keys = new Map(queues.map((queue) => [queue.id, stateKeys(queue.id, queue.counts)]));
    const needs = queues.flatMap((queue) =>
      (keys.get(queue.id) ?? []).map((key) => this.#need(queue, key, nowMs)),
    );
    const forMemory = planSampling(needs, budgetJobs);
    const plan = tenants?.plan(queues, forMemory, budgetJobs, nowMs) ?? forMemory;
    let structures = 0;
    return queues.flatMap((queue) => {
      const all = keys.get(queue.id) ?? [];
      const states = all.flatMap((key) => {
        const samples = plan.get(key.key);
        return samples === undefined ? [] : { ...key, samples };
      });
      const known = this.#queues.get(queue.id);
      const isAsItWas = known?.structureMark === markOf(queue);
      const isOld =
        nowMs - (known?.structureAtMs ?? Number.NEGATIVE_INFINITY) >=
        (isAsItWas ? UNCHANGED_STRUCTURE_EVERY_MS : STRUCTURE_EVERY_MS);
      // Of every list, also of those that are not sampled now: they are measured together.
      const withStructure = isOld && structures < MAX_STRUCTURES && (states.length > 0 || all.length === 0);
      if (withStructure) structures += 1;
      if (states.length === 0 && !withStructure) return [];
      const others = withStructure
        ? all.filter(({ key }) => !plan.has(key)).map((key) => ({ ...key, samples: 0 }))
        : [];
      return { id: queue.id, states: [...states, ...others], withStructure };
    });
  }

  #need(queue: QueueState, key: StateKey, nowMs: number): SamplingNeed {
    const samples = this.#queues.get(queue.id);
    const changed = samples?.addedSince(key.key, queue.addedTotal) ?? 0;
    return {
      queueId: queue.id,
      key: key.key,
      count: key.count,
      isBacklog: key.state === 'waiting' || key.state === 'prioritized',
      known: samples?.spread(key.key) ?? null,
      isCensus: samples?.isCensus(key.key) ?? false,
      ageMs: samples?.ageMs(key.key, nowMs) ?? Number.POSITIVE_INFINITY,
      changedRatio: Math.min(1, changed / Math.max(1, key.count)),
    };
  }
}

/** Another number where a job or an event has come or gone, but for odd chances. */
function markOf({ addedTotal, eventsLength, unfinished, counts }: QueueState): number {
  return addedTotal + eventsLength * 3 + unfinished * 7 + counts.completed * 11 + counts.failed * 13;
}

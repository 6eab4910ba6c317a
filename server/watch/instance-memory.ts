import type { CountProgress, ForeignKey, NodeMemory } from '../model/memory.js';
import { CountRefused } from '../model/memory.js';
import { jobsIn, type QueueState } from '../model/snapshot.js';
import { Yielder } from '../process/every.js';
import type { NodeClient } from '../redis/connect.js';
import type { DiscoveryStep } from '../redis/discover.js';
import type { ForeignSample } from '../redis/foreign-keys.js';
import { ForeignKeys } from '../redis/foreign-keys.js';
import { queueOf } from '../redis/queue-keys.js';
import { type MemoryStats, readMemoryStats } from '../redis/read-server.js';
import { isRelayKey, RelayKeys } from '../redis/relay-keys.js';
import { ExactCount } from './exact-count.js';
import { InstanceSampler } from './instance-sampler.js';
import type { InstanceTenants } from './instance-tenants.js';
import type { SampledState } from './sampled-state.js';
import { addTo, estimateBytes, estimateCount, noMoments } from './sampled-state.js';
import type { WatchedNode } from './watched-node.js';
import type { WatchedQueue } from './watched-queue.js';
import type { WatchedQueues } from './watched-queues.js';

/** Draws that are kept in mind: more would make it slow to see that keys have gone. */
const MAX_DRAWN = 3_000;

interface Draw {
  readonly drawn: number;
  foreign: ForeignSample['foreign'];
}

/** Keys of one Redis process that are no queue's, as far as draws have met them. */
class ForeignMemory {
  readonly #isOwn: (key: string) => boolean;
  #draws: Draw[] = [];
  #drawn = 0;
  #large: readonly ForeignKey[] = [];
  #hasWalked = false;

  /** @param isOwn does a key belong to a queue that is watched? */
  constructor(isOwn: (key: string) => boolean) {
    this.#isOwn = isOwn;
  }

  /** @param endedWalk all keys have been met. */
  take(sample: ForeignSample, endedWalk: boolean): void {
    this.#draws.push({ drawn: sample.drawn, foreign: sample.foreign });
    this.#drawn += sample.drawn;
    while (this.#drawn > MAX_DRAWN) this.#drawn -= this.#draws.shift()?.drawn ?? this.#drawn;
    this.#large = sample.large;
    this.#hasWalked ||= endedWalk;
  }

  /** A queue was found: what was drawn of it before looked like nobody's. */
  judgeAnew(): void {
    for (const draw of this.#draws) draw.foreign = draw.foreign.filter(({ key }) => !this.#isOwn(key));
  }

  /** @param keys that the process holds. null: too few were drawn to say anything. */
  estimate(keys: number): NodeMemory['foreign'] {
    if (!this.#hasWalked && this.#drawn < 100) return null;
    const small = noMoments();
    for (const { foreign } of this.#draws) for (const { bytes } of foreign) addTo(small, bytes);
    const stratum = {
      count: keys,
      weight: this.#drawn,
      effectiveSamples: this.#drawn,
      isCensus: false,
    };
    const held = estimateBytes(stratum, small);
    return {
      bytes: Math.round(held.bytes) + this.#large.reduce((sum, { bytes }) => sum + bytes, 0),
      errorBytes: Math.round(held.errorBytes),
      keys: Math.round(estimateCount(stratum, small).value) + this.#large.length,
      largest: this.#large.slice(0, 5),
    };
  }
}

/** Puts together where the memory of a process is. */
function nodeMemoryOf(input: {
  readonly stats: MemoryStats;
  readonly rssBytes: number;
  readonly queues: readonly QueueState[];
  readonly foreign: NodeMemory['foreign'];
  readonly relay: NodeMemory['relay'];
  readonly nowMs: number;
}): NodeMemory {
  const { keys: _keys, ...stats } = input.stats;
  const known = input.queues.flatMap(({ memory }) => memory ?? []);
  const queues = {
    bytes: known.reduce((sum, { totalBytes }) => sum + totalBytes, 0),
    errorBytes: Math.round(
      Math.sqrt(known.reduce((sum, { errorBytes }) => sum + errorBytes * errorBytes, 0)),
    ),
  };
  const attributed =
    queues.bytes +
    (input.foreign?.bytes ?? 0) +
    (input.relay?.bytes ?? 0) +
    stats.clientBytes +
    stats.replicaBufferBytes +
    stats.replicationBacklogBytes +
    stats.aofBytes +
    stats.scriptBytes +
    stats.keyspaceBytes +
    stats.startupBytes;
  return {
    ...stats,
    readAtMs: input.nowMs,
    queues,
    queuesToSample: input.queues.filter(({ memory, counts }) => memory === null && jobsIn(counts) > 0).length,
    foreign: input.foreign,
    relay: input.relay,
    unattributedBytes: Math.round(stats.usedBytes - attributed),
    fragmentationBytes: Math.max(0, input.rssBytes - stats.usedBytes),
  };
}

/** MEMORY STATS walks all clients: 0.1 ms with a thousand. */
const STATS_EVERY_MS = 3_000;

/** Of fewer jobs more or less nothing is said anew: they weigh little beside what an estimate may be off by. */
const NOTABLE_RATIO = 0.05;
const NOTABLE_JOBS = 50;

/**
 * Jobs have come or gone since its memory was worked out, and no turn of samples since: a queue that is drained holds what its counts
 * of now say, at the sizes that were sampled.
 */
function hasMovedOn({ memory, counts }: QueueState): boolean {
  if (memory?.source !== 'sample') return false;
  const now = jobsIn(counts);
  const then = memory.states.reduce((sum, { jobs }) => sum + jobs, 0);
  return Math.abs(now - then) > Math.max(NOTABLE_JOBS, then * NOTABLE_RATIO);
}

interface NodeSight {
  readonly keys: ForeignKeys;
  readonly relay: RelayKeys;
  readonly foreign: ForeignMemory;
  /** Known when draws were last judged. */
  queues: number;
  stats: MemoryStats | null;
  statsAtMs: number;
}

interface MasterToRead {
  readonly id: string;
  readonly client: NodeClient;
  readonly node: WatchedNode;
  readonly queues: readonly WatchedQueue[];
  /** In this tick tenants are looked for on this master. */
  readonly mayReadData: boolean;
}

/** Where the memory of one Redis is: samples jobs of its queues, and looks at what is beside them. */
export class InstanceMemory {
  readonly sampler: InstanceSampler;
  readonly exact = new ExactCount();
  readonly #now: () => number;
  readonly #queues: Pick<WatchedQueues, 'get' | 'limit'>;
  readonly #mayMeasure: () => boolean;
  readonly #sights = new Map<string, NodeSight>();

  /**
   * @param random 0 ≤ x < 1
   * @param tenants null: job data are never read.
   * @param queues those that are watched.
   * @param mayMeasure does Redis permit MEMORY USAGE, as far as is known?
   */
  constructor(
    random: () => number,
    tenants: InstanceTenants | null,
    queues: Pick<WatchedQueues, 'get' | 'limit'>,
    mayMeasure: () => boolean,
    now: () => number,
  ) {
    this.#now = now;
    this.sampler = new InstanceSampler(random, tenants);
    this.#queues = queues;
    this.#mayMeasure = mayMeasure;
  }

  /** What is known of the jobs in one list: counted one by one, else sampled. */
  sampledOf(queue: QueueState, key: string, nowMs: number): SampledState | null {
    return this.exact.stateOf(queue, key, nowMs) ?? this.sampler.of(queue.id)?.state(key) ?? null;
  }

  /** @throws CountRefused where one runs, nothing is known yet, or Redis does not permit it. */
  startCount(id: string, isDryRun: boolean): CountProgress {
    const queue = this.#queues.get(id);
    if (!queue?.state) throw new CountRefused('unavailable', `${id} has not been read yet`);
    if (!this.#mayMeasure()) {
      const problem = 'this Redis does not permit MEMORY USAGE to the console, so it can count no memory';
      throw new CountRefused('not-permitted', problem);
    }
    const progress = this.exact.start(queue.state, this.#now(), isDryRun);
    if (!isDryRun) queue.setCount(progress);
    return progress;
  }

  /** null: none was ever asked for. */
  stopCount(id: string): CountProgress | null {
    const progress = this.exact.stop(id, this.#now());
    if (progress) this.#queues.get(id)?.setCount(progress);
    return progress;
  }

  /**
   * One tick of one master; sets the memory of its queues and of the node.
   * @param walked what the walk over all keys has met in this tick.
   */
  async read(master: MasterToRead, walked: DiscoveryStep, nowMs: number): Promise<void> {
    const { client, node } = master;
    const sight = this.#sight(master.id);
    const found = await sight.keys.look(client, walked.nobodys, walked.hasMetMost);
    node.pay(found.calls);
    sight.foreign.take(found, walked.endedPass);
    node.pay(await sight.relay.look(client, walked.relay, walked.endedPass));
    if (master.queues.length > sight.queues) sight.foreign.judgeAnew();
    sight.queues = master.queues.length;
    const states = master.queues.flatMap((queue) => queue.state ?? []);
    // Sampling rests while somebody waits for a count.
    const ids = this.exact.isRunning
      ? []
      : await this.sampler.sample(client, states, node, nowMs, master.mayReadData);
    const sampled = new Set(ids);
    const yielder = new Yielder();
    for (const queue of master.queues) {
      if (!queue.state || !(sampled.has(queue.id) || hasMovedOn(queue.state))) continue;
      const samples = this.sampler.of(queue.id);
      if (!samples) continue;
      await yielder.yieldToEventLoop();
      queue.setMemory(samples.memory(queue.state, nowMs), this.sampler.tenantsOf(queue.state));
    }
    await this.#count(master, nowMs);
    await yielder.yieldToEventLoop();
    if (nowMs - sight.statsAtMs >= STATS_EVERY_MS) {
      // Refused where ACL says so: then what is beside queues is not known.
      const { stats, calls } = await readMemoryStats(client);
      sight.stats = stats;
      node.count(calls);
      sight.statsAtMs = nowMs;
    }
    this.#showNode(sight, node, master.queues, nowMs);
  }

  /** Goes on with a count that runs here, and shows what counts have found. */
  async #count({ client, node, queues }: MasterToRead, nowMs: number): Promise<void> {
    const runId = node.state?.runId ?? '';
    const states = queues.flatMap((queue) => queue.state ?? []);
    try {
      node.pay(await this.exact.step({ client, runId, queues: states, now: this.#now }));
    } finally {
      for (const queue of queues) {
        const progress = this.exact.progress(queue.id);
        if (!progress || !queue.state) continue;
        queue.setCount(progress);
        const samples = this.sampler.of(queue.id);
        const exact = this.exact.memory(queue.state, samples, nowMs);
        const tenants = this.sampler.tenantsOf(queue.state);
        if (exact) queue.setMemory(exact, tenants);
        // A count that has passed: it may be a while until the next samples.
        else if (queue.state.memory?.source === 'count' && samples)
          queue.setMemory(samples.memory(queue.state, nowMs), tenants);
      }
    }
  }

  #showNode(sight: NodeSight, node: WatchedNode, queues: readonly WatchedQueue[], nowMs: number): void {
    if (!sight.stats) return;
    const states: readonly QueueState[] = queues.flatMap((queue) => queue.state ?? []);
    node.setMemory(
      nodeMemoryOf({
        stats: sight.stats,
        rssBytes: node.state?.rssBytes ?? 0,
        queues: states,
        foreign: sight.foreign.estimate(sight.stats.keys),
        relay: sight.relay.memory,
        nowMs,
      }),
    );
  }

  #sight(id: string): NodeSight {
    const known = this.#sights.get(id);
    if (known) return known;
    const isOwn = (key: string): boolean => isRelayKey(key) || queueOf(key, this.#queues.limit) !== null;
    const made = {
      keys: new ForeignKeys(isOwn),
      relay: new RelayKeys(),
      foreign: new ForeignMemory(isOwn),
      queues: 0,
      stats: null,
      statsAtMs: Number.NEGATIVE_INFINITY,
    };
    this.#sights.set(id, made);
    return made;
  }
}

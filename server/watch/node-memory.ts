import type { ForeignKey, NodeMemory } from '../model/memory.js';
import type { QueueState } from '../model/snapshot.js';
import type { ForeignSample } from '../redis/foreign-keys.js';
import type { MemoryStats } from '../redis/memory-stats.js';
import { addTo, estimateBytes, estimateCount, noMoments } from './stratum.js';

/** Draws that are kept in mind: more would make it slow to see that keys have gone. */
const MAX_DRAWN = 3_000;

interface Draw {
  readonly drawn: number;
  foreign: ForeignSample['foreign'];
}

/** Keys of one Redis process that are no queue's, as far as draws have met them. */
export class ForeignMemory {
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
export function nodeMemoryOf(input: {
  readonly stats: MemoryStats;
  readonly rssBytes: number;
  readonly queues: readonly QueueState[];
  readonly foreign: NodeMemory['foreign'];
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
    queuesToSample: input.queues.filter(
      ({ memory, unfinished, counts }) =>
        memory === null && unfinished + counts.completed + counts.failed > 0,
    ).length,
    foreign: input.foreign,
    unattributedBytes: Math.round(stats.usedBytes - attributed),
    fragmentationBytes: Math.max(0, input.rssBytes - stats.usedBytes),
  };
}

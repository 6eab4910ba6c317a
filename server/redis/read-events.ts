import type { Redis } from 'ioredis';
import { type FinishedJob, firstLine } from '../watch/finished-job.js';
import { ReadBatch, Refused, sumOfCalls } from './read-batch.js';

/** Entries and bytes of one look: `completed` events carry the return value, which may be large. */
const MOST_EVENTS = 150;
const MOST_BYTES = 64 * 1024;
/** Jobs that are remembered from being added or started until they end. */
const MOST_REMEMBERED = 2_000;
const MOST_NAMES_ASKED = 40;

interface Remembered {
  type: string | null;
  startedAtMs: number | null;
  addedAtMs: number | null;
}

/** Follows the events stream of one queue in bounded looks, for where finished jobs are removed and no agent tells. */
export class EventTail {
  readonly #id: string;
  readonly #jobs = new Map<string, Remembered>();
  #lastId: string | null = null;

  constructor(id: string) {
    this.#id = id;
  }

  /**
   * What ended since the last look. Where more happened than a look holds, the newest of it, and what lies between is skipped.
   * @param bytesPerEvent mean size of an entry, for how many to read.
   */
  async look(
    client: Redis,
    bytesPerEvent: number,
  ): Promise<{
    readonly finished: readonly FinishedJob[];
    readonly isWhole: boolean;
    readonly calls: ReadonlyMap<string, number>;
  }> {
    const most = Math.max(10, Math.min(MOST_EVENTS, Math.floor(MOST_BYTES / Math.max(1, bytesPerEvent))));
    const batch = new ReadBatch();
    const key = `${this.#id}:events`;
    const slot = batch.add(
      'xrevrange',
      key,
      '+',
      this.#lastId === null ? '-' : `(${this.#lastId}`,
      'COUNT',
      most,
    );
    await batch.run(client);
    const entries = batch.read((answers) => readEntries(answers.value(slot)).reverse());
    if (entries instanceof Refused) return { finished: [], isWhole: false, calls: batch.calls };
    const isWhole = this.#lastId !== null && entries.length < most;
    const last = entries[entries.length - 1];
    if (last) this.#lastId = last.id;
    const names = await this.#askNames(client, entries);
    const finished = entries.flatMap((entry) => this.#take(entry) ?? []);
    return { finished, isWhole, calls: sumOfCalls(batch.calls, names) };
  }

  /** Only `added` tells a job's name: of those that started before that was seen it is asked for, while they run. */
  async #askNames(client: Redis, entries: readonly Entry[]): Promise<ReadonlyMap<string, number>> {
    const ended = new Set(entries.filter(isEnd).map(({ fields }) => fields.get('jobId')));
    const added = new Set(
      entries.filter(({ event }) => event === 'added').map(({ fields }) => fields.get('jobId')),
    );
    const unknown = entries
      .filter(({ event }) => event === 'active')
      .flatMap(({ fields }) => fields.get('jobId') ?? [])
      .filter((jobId) => !ended.has(jobId) && !added.has(jobId) && !this.#jobs.get(jobId)?.type)
      .slice(-MOST_NAMES_ASKED);
    const batch = new ReadBatch();
    const slots = unknown.map((jobId) => [jobId, batch.add('hget', `${this.#id}:${jobId}`, 'name')] as const);
    await batch.run(client);
    for (const [jobId, slot] of slots) {
      const name = batch.read((answers) => answers.text(slot));
      if (!(name instanceof Refused)) this.#remember(jobId).type = name;
    }
    return batch.calls;
  }

  #take(entry: Entry): FinishedJob | null {
    const jobId = entry.fields.get('jobId');
    if (!jobId) return null;
    if (entry.event === 'added') {
      const job = this.#remember(jobId);
      job.type = entry.fields.get('name') ?? job.type;
      job.addedAtMs = entry.atMs;
    } else if (entry.event === 'active') this.#remember(jobId).startedAtMs = entry.atMs;
    if (!isEnd(entry)) return null;
    const job = this.#jobs.get(jobId);
    this.#jobs.delete(jobId);
    if (!job?.type) return null;
    const failed = entry.event === 'failed';
    return {
      jobId,
      type: job.type,
      failed,
      endedAtMs: entry.atMs,
      startedAtMs: job.startedAtMs,
      dueAtMs: null,
      process: null,
      error: failed ? firstLine(entry.fields.get('failedReason') ?? '') : null,
    };
  }

  #remember(jobId: string): Remembered {
    const known = this.#jobs.get(jobId);
    if (known) return known;
    const made = { type: null, startedAtMs: null, addedAtMs: null };
    this.#jobs.set(jobId, made);
    if (this.#jobs.size > MOST_REMEMBERED) {
      const oldest = this.#jobs.keys().next().value;
      if (oldest !== undefined) this.#jobs.delete(oldest);
    }
    return made;
  }
}

interface Entry {
  readonly id: string;
  readonly atMs: number;
  readonly event: string;
  readonly fields: ReadonlyMap<string, string>;
}

function isEnd({ event }: Entry): boolean {
  return event === 'completed' || event === 'failed';
}

function readEntries(answer: unknown): Entry[] {
  if (!Array.isArray(answer)) return [];
  return answer.flatMap((item) => {
    if (!Array.isArray(item) || !Array.isArray(item[1])) return [];
    const id = String(item[0]);
    const fields = new Map<string, string>();
    for (let i = 0; i + 1 < item[1].length; i += 2) fields.set(String(item[1][i]), String(item[1][i + 1]));
    return { id, atMs: Number(id.split('-')[0]) || 0, event: fields.get('event') ?? '', fields };
  });
}

import type { Redis } from 'ioredis';
import { jobTypeOf } from '../../agent/job-type-of.js';
import { type FinishedJob, firstLine } from '../model/job-type.js';
import { UNCHECKED } from '../model/redact.js';
import { nameField, typeFrom } from './job-facts.js';
import { isJobId } from './queue-keys.js';
import { ReadBatch, Refused, sumOfCalls } from './read-batch.js';

/** Entries and bytes of one look: `completed` events carry the return value, which may be large. */
const MAX_EVENTS = 150;
const MAX_BYTES = 64 * 1024;
/** Of an entry, until some were read: entries with names or values of megabytes must not come by the hundred. */
const FIRST_ENTRY_BYTES = 3_000;
/** Jobs that are remembered from being added or started until they end. */
const MAX_REMEMBERED = 2_000;
const MAX_NAMES_ASKED = 40;

interface Remembered {
  type: string | null;
  startedAtMs: number | null;
}

/** Follows the events stream of one queue in bounded looks, for where finished jobs are removed and no agent tells. */
export class EventTail {
  readonly #id: string;
  readonly #hidesErrors: boolean;
  readonly #jobs = new Map<string, Remembered>();
  #lastId: string | null = null;
  /** Mean size of the entries of the last look. */
  #entryBytes = FIRST_ENTRY_BYTES;

  /** @param hidesErrors fields of jobs are hidden: an error may quote them, and its job is gone. */
  constructor(id: string, hidesErrors: boolean) {
    this.#id = id;
    this.#hidesErrors = hidesErrors;
  }

  /**
   * What ended since the last look. Where more happened than a look holds, the newest of it, and what lies between is skipped.
   * @param bytesPerEvent mean size of an entry, for how many to read; 0: not known.
   */
  async look(
    client: Redis,
    bytesPerEvent: number,
  ): Promise<{
    readonly finished: readonly FinishedJob[];
    readonly isWhole: boolean;
    readonly calls: ReadonlyMap<string, number>;
  }> {
    const entryBytes = Math.max(1, bytesPerEvent, this.#entryBytes);
    const most = Math.max(1, Math.min(MAX_EVENTS, Math.floor(MAX_BYTES / entryBytes)));
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
    if (entries.length > 0)
      this.#entryBytes = entries.reduce((sum, { chars }) => sum + chars, 0) / entries.length;
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
      .filter(
        (jobId) => isJobId(jobId) && !ended.has(jobId) && !added.has(jobId) && !this.#jobs.get(jobId)?.type,
      )
      .slice(-MAX_NAMES_ASKED);
    const sizes = new ReadBatch();
    const measured = unknown.map(
      (jobId) => [jobId, sizes.add('hstrlen', `${this.#id}:${jobId}`, 'name')] as const,
    );
    await sizes.run(client);
    const names = new ReadBatch();
    const asked = measured.flatMap(([jobId, slot]) => {
      const bytes = sizes.read((answers) => answers.number(slot));
      if (bytes instanceof Refused) return [];
      const isRead = nameField(bytes).length > 0;
      return { jobId, bytes, slot: isRead ? names.add('hget', `${this.#id}:${jobId}`, 'name') : null };
    });
    await names.run(client);
    for (const { jobId, bytes, slot } of asked) {
      const type = names.read((answers) => typeFrom(answers.text(slot), bytes));
      if (!(type instanceof Refused)) this.#remember(jobId).type = type;
    }
    return sumOfCalls(sizes.calls, names.calls);
  }

  #take(entry: Entry): FinishedJob | null {
    const jobId = entry.fields.get('jobId');
    if (!isJobId(jobId)) return null;
    if (entry.event === 'added') {
      const job = this.#remember(jobId);
      const name = entry.fields.get('name');
      if (name !== undefined) job.type = jobTypeOf(name);
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
      error: failed ? this.#errorOf(entry) : null,
    };
  }

  #errorOf({ fields }: Entry): string {
    return this.#hidesErrors ? UNCHECKED : firstLine(fields.get('failedReason') ?? '');
  }

  #remember(jobId: string): Remembered {
    const known = this.#jobs.get(jobId);
    if (known) return known;
    const made = { type: null, startedAtMs: null };
    this.#jobs.set(jobId, made);
    if (this.#jobs.size > MAX_REMEMBERED) {
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
  /** Of all its fields. */
  readonly chars: number;
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
    let chars = 0;
    for (let i = 0; i + 1 < item[1].length; i += 2) {
      const [field, value] = [String(item[1][i]), String(item[1][i + 1])];
      chars += field.length + value.length;
      fields.set(field, value);
    }
    return { id, atMs: Number(id.split('-')[0]) || 0, event: fields.get('event') ?? '', fields, chars };
  });
}

import type { Redis } from 'ioredis';
import type { JobState } from '../model/memory.js';
import { addJobFacts, addJobSizes, type JobFacts } from './job-facts.js';
import { isJobId, type StateKey } from './queue-keys.js';
import { type AnswerPlace, type Answers, ReadBatch, Refused, sumOfCalls } from './read-batch.js';

/** Of one queue: how many jobs of each state are to be looked at, and whether what is beside jobs is too. */
export interface SampleRequest {
  readonly id: string;
  readonly states: readonly (StateKey & { readonly samples: number })[];
  readonly withStructure: boolean;
}

export interface StateSample {
  readonly state: JobState;
  readonly key: string;
  readonly count: number;
  /** Every job of it was looked at. */
  readonly isCensus: boolean;
  readonly jobs: readonly JobFacts[];
}

/** Keys of a queue beside its jobs, in bytes. */
export interface QueueStructure {
  readonly byKey: ReadonlyMap<string, number>;
  readonly eventsBytes: number;
  readonly schedulersBytes: number;
  readonly settingsBytes: number;
  /** Locks of running jobs, where they were measured. */
  readonly locksBytes?: number;
}

export interface QueueSample {
  readonly id: string;
  readonly states: readonly StateSample[];
  /** null: not read this time. */
  readonly structure: QueueStructure | null;
}

/** What the ids of one step may hold together: four thousand of the longest that are looked at are 4 MB. */
const MAX_ID_BYTES = 16 * 1024 * 1024;
/** Schedulers looked at of one queue; their number times the mean is what they hold. */
const SCHEDULERS_SAMPLED = 5;

/**
 * Looks at jobs of many queues in three pipelines: ids at random places, one from each of even pieces of every list, then
 * how much each holds, then its facts. Places are drawn anew each time, so that samples add up.
 * @param random 0 ≤ x < 1
 * @returns samples in the order of the requests, and the commands that were sent.
 */
export async function sampleJobs(
  client: Redis,
  requests: readonly SampleRequest[],
  random: () => number,
): Promise<{
  readonly samples: readonly QueueSample[];
  readonly calls: ReadonlyMap<string, number>;
  /** Ids were so long that nothing was looked at. */
  readonly isTooLarge: boolean;
}> {
  const places = new ReadBatch();
  const idSlots = requests.map(({ states }) => states.map((state) => addPlaces(places, state, random)));
  const schedulers = requests.map(({ id, withStructure }) =>
    withStructure
      ? {
          count: places.add('zcard', `${id}:repeat`),
          some: places.add('zrange', `${id}:repeat`, 0, SCHEDULERS_SAMPLED - 1),
        }
      : null,
  );
  await places.run(client, undefined, MAX_ID_BYTES);
  if (places.isTooLarge) return { samples: [], calls: places.calls, isTooLarge: true };
  const sizes = new ReadBatch();
  const measured = requests.map(({ id, states }, q) =>
    states.map((state, s) => {
      const ids = places.read((answers) => idsOf(answers, idSlots[q]?.[s] ?? []));
      return ids instanceof Refused ? ids : ids.map((jobId) => addJobSizes(sizes, id, jobId, state.state));
    }),
  );
  const structures = requests.map((request, q) => {
    const slots = schedulers[q];
    const known = places.read((answers) =>
      slots ? { some: answers.list(slots.some), count: answers.number(slots.count) } : null,
    );
    return known === null || known instanceof Refused
      ? null
      : addStructure(sizes, request, known.some, known.count);
  });
  await sizes.run(client);
  const facts = new ReadBatch();
  const found = measured.map((ofQueue) =>
    ofQueue.map((slots) =>
      slots instanceof Refused
        ? [slots]
        : slots.map((job) => sizes.read((answers) => addJobFacts(facts, answers, job))),
    ),
  );
  await facts.run(client);
  const known = <T>(value: T | Refused): T | null => (value instanceof Refused ? null : value);
  const samples = requests.map((request, q) => ({
    id: request.id,
    states: request.states.map((state, s) => {
      const looks = (found[q]?.[s] ?? []).map((decode) =>
        decode instanceof Refused ? decode : facts.read(decode),
      );
      return {
        state: state.state,
        key: state.key,
        count: state.count,
        isCensus: state.samples >= state.count && !looks.some((look) => look instanceof Refused),
        jobs: looks.flatMap((look) => known(look) ?? []),
      };
    }),
    structure: known(sizes.read((answers) => structures[q]?.(answers) ?? null)),
  }));
  const calls = sumOfCalls(places.calls, sizes.calls, facts.calls);
  return { samples, calls, isTooLarge: false };
}

/**
 * One id from each of `samples` even pieces: a queue whose jobs changed over time is met evenly. LRANGE p p walks a list
 * over its packed nodes: 100,000 entries cost 20 µs at worst. All of a short list come in one command.
 */
function addPlaces(
  batch: ReadBatch,
  state: StateKey & { samples: number },
  random: () => number,
): readonly AnswerPlace[] {
  const command = state.kind === 'list' ? 'lrange' : 'zrange';
  if (state.samples >= state.count) return [batch.add(command, state.key, 0, state.count - 1)];
  const piece = state.count / state.samples;
  return Array.from({ length: state.samples }, (_, i) => {
    const place = Math.min(state.count - 1, Math.floor((i + random()) * piece));
    return batch.add(command, state.key, place, place);
  });
}

function idsOf(answers: Answers, slots: readonly AnswerPlace[]): readonly string[] {
  return [...new Set(slots.flatMap((slot) => answers.list(slot)).filter(isJobId))];
}

function addStructure(
  batch: ReadBatch,
  { id, states }: SampleRequest,
  schedulers: readonly (string | null)[],
  schedulerCount: number,
): (answers: Answers) => QueueStructure {
  const usage = (key: string): AnswerPlace => batch.add('memory', 'USAGE', key);
  const lists = states.map(({ key }) => [key, usage(key)] as const);
  const events = usage(`${id}:events`);
  const settings = ['meta', 'id', 'marker', 'stalled', 'metrics:completed:data', 'metrics:failed:data'].map(
    (key) => usage(`${id}:${key}`),
  );
  const repeat = usage(`${id}:repeat`);
  const some = schedulers.flatMap((key) => (key === null ? [] : usage(`${id}:repeat:${key}`)));
  return (answers) => {
    const sum = (slots: readonly AnswerPlace[]): number =>
      slots.reduce((total, slot) => total + answers.number(slot), 0);
    return {
      byKey: new Map(lists.map(([key, slot]) => [key, answers.number(slot)])),
      eventsBytes: answers.number(events),
      schedulersBytes:
        answers.number(repeat) +
        (some.length === 0 ? 0 : Math.round((sum(some) / some.length) * schedulerCount)),
      settingsBytes: sum(settings),
    };
  };
}

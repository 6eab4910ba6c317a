import type { Redis } from 'ioredis';
import { tenantIn, UNREAD_TENANT } from '../model/tenant-text.js';
import type { JobFacts } from './job-facts.js';
import { ReadBatch, Refused, type Slot } from './read-batch.js';
import type { QueueSample, StateSample } from './sample-jobs.js';
import { countWithinBudget } from './tenant-plan.js';

/** Longer data are not read: parsing them costs, and they are counted as UNREAD_TENANT. */
const MAX_BYTES_OF_ONE = 16 * 1024;
/** Of one tick. */
const MAX_BYTES = 64 * 1024;

/** Tenants of some sampled jobs of one state of one queue. */
export interface TenantReading {
  readonly queueId: string;
  readonly key: string;
  readonly count: number;
  /** Every job of it was looked at. */
  readonly isCensus: boolean;
  readonly jobs: readonly { readonly tenant: string; readonly bytes: number }[];
}

interface Look {
  readonly job: JobFacts;
  readonly queueId: string;
  readonly state: StateSample;
}

/** Jobs that wait or run are looked at for their tenants; others are no backlog. */
export function hasTenants({ state }: Pick<StateSample, 'state'>): boolean {
  return state === 'waiting' || state === 'prioritized' || state === 'active';
}

/**
 * The tenants of sampled jobs within a budget of bytes: of the most urgent states first, and of each a random part. Data are read in one pipeline, the tenant is
 * taken out, and nothing else of them is kept.
 * @param path keys that lead to the tenant.
 * @param urgent keys of states, the most urgent first; others come last.
 * @param random 0 ≤ x < 1
 */
export async function readTenants(
  client: Redis,
  samples: readonly QueueSample[],
  path: readonly string[],
  urgent: readonly string[],
  random: () => number,
): Promise<{ readonly readings: readonly TenantReading[]; readonly calls: ReadonlyMap<string, number> }> {
  const states = samples.flatMap(({ id, states }) =>
    states.filter((state) => hasTenants(state) && state.jobs.length > 0).map((state) => ({ id, state })),
  );
  const places = new Map(urgent.map((key, i) => [key, i]));
  const placeOf = ({ state }: Look): number => places.get(state.key) ?? urgent.length;
  const all: readonly Look[] = shuffled(
    states.flatMap(({ id, state }) => state.jobs.map((job) => ({ job, queueId: id, state }))),
    random,
  ).toSorted((a, b) => placeOf(a) - placeOf(b));
  const sizes = all.map(({ job }) => job.dataLength);
  const looks = all.slice(0, countWithinBudget(sizes, MAX_BYTES_OF_ONE, MAX_BYTES));
  const batch = new ReadBatch();
  const slots = looks.map(({ job, queueId }): Slot | null =>
    job.dataLength > MAX_BYTES_OF_ONE ? null : batch.add('hget', `${queueId}:${job.jobId}`, 'data'),
  );
  await batch.run(client);
  const found = new Map<StateSample, { tenant: string; bytes: number }[]>();
  looks.forEach(({ job, state }, i) => {
    const slot = slots[i] ?? null;
    const data = batch.read((answers) => answers.text(slot));
    // Gone by now, or refused: as if it had not been drawn.
    if (data instanceof Refused || (slot !== null && data === null)) return;
    const tenant = data === null ? UNREAD_TENANT : tenantIn(data, path);
    const jobs = found.get(state) ?? [];
    jobs.push({ tenant, bytes: job.bytes + job.logBytes });
    found.set(state, jobs);
  });
  const readings = states.flatMap(({ id, state }) => {
    const jobs = found.get(state);
    if (!jobs) return [];
    const isCensus = state.isCensus && jobs.length === state.jobs.length;
    return { queueId: id, key: state.key, count: state.count, isCensus, jobs };
  });
  return { readings, calls: batch.calls };
}

/** Fisher and Yates. */
function shuffled<T>(items: readonly T[], random: () => number): readonly T[] {
  const order = [...items];
  for (let i = order.length - 1; i > 0; i -= 1) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j] as T, order[i] as T];
  }
  return order;
}

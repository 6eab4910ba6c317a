import { createHmac, randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Redactor } from '../model/redact.js';
import { NOT_TENANTS, tenantIn, UNREAD_TENANT } from '../model/tenant-text.js';
import type { JobFacts } from './job-facts.js';
import { type AnswerPlace, ReadBatch, Refused } from './read-batch.js';
import type { QueueSample, StateSample } from './sample-jobs.js';

/** Waiting or running jobs of one queue, as the plan of the next looks at their tenants sees them. */
export interface TenantNeed {
  readonly key: string;
  readonly count: number;
  /** Independent looks that what is known of it is worth, less what has come and gone since. */
  readonly samples: number;
  readonly isCensus: boolean;
  /** ms since tenants were looked at; Infinity: never. */
  readonly ageMs: number;
}

/** A tenant with 60% of a queue is then known to hold more than half: 1.96 × √(0.6 × 0.4 ÷ 150) is 8%. */
const WANTED = 150;
const A_LOOK = 24;
const STALE_MS = 30_000;

/**
 * Whose tenants are looked for first: by jobs for each look that was had, so that the longest are known first and equals
 * take turns. What is read in a tick is little: shared out evenly among many queues it would tell nothing of any.
 */
export function byUrgency(needs: readonly TenantNeed[]): readonly TenantNeed[] {
  return needs.toSorted(
    (a, b) =>
      Number(isWanting(b)) - Number(isWanting(a)) || jobsALook(b) - jobsALook(a) || (a.key < b.key ? -1 : 1),
  );
}

/**
 * Jobs to look at so that tenants become known, beside those that memory needs: sizes that are alike are known from few
 * jobs, and tenants are not.
 * @param urgent by `byUrgency`.
 * @param plan samples by key, as they are planned for memory.
 * @returns the same with more of what is missing, at most `budgetJobs` more.
 */
export function planTenantSamples(
  urgent: readonly TenantNeed[],
  plan: ReadonlyMap<string, number>,
  budgetJobs: number,
): ReadonlyMap<string, number> {
  const planned = new Map(plan);
  let left = budgetJobs;
  for (const { key, count } of urgent.filter(isWanting)) {
    const has = planned.get(key) ?? 0;
    const more = Math.min(A_LOOK, count) - has;
    if (more <= 0 || more > left) continue;
    planned.set(key, has + more);
    left -= more;
  }
  return planned;
}

function isWanting({ ageMs, isCensus, samples }: TenantNeed): boolean {
  return ageMs >= STALE_MS || (!isCensus && samples < WANTED);
}

function jobsALook({ count, samples }: TenantNeed): number {
  return count / (samples + A_LOOK);
}

/**
 * Which jobs' data are read within a budget of bytes: in the order they are given (at random within a queue), until what is left might not
 * hold the next. The one with which that is reached is still read, as its size was not a reason to take it: a rule that left
 * it out would favour small jobs, and this one does not (Wald's identity: the mean of sums up to a stopping time that does
 * not look ahead is the mean of one times the mean number).
 * @param mostBytes of one; larger ones are passed over at no cost, and count as looked at.
 * @returns the number of jobs, from the first, that are looked at.
 */
export function countWithinBudget(
  dataBytes: readonly number[],
  mostBytes: number,
  budgetBytes: number,
): number {
  let taken = 0;
  for (const [i, bytes] of dataBytes.entries()) {
    if (taken > budgetBytes - mostBytes) return i;
    if (bytes <= mostBytes) taken += bytes;
  }
  return dataBytes.length;
}

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
 * @param redactor a tenant that stands in a field that it hides gets another name.
 * @param urgent keys of states, the most urgent first; others come last.
 * @param random 0 ≤ x < 1
 */
export async function readTenants(
  client: Redis,
  samples: readonly QueueSample[],
  path: readonly string[],
  urgent: readonly string[],
  random: () => number,
  redactor: Redactor | null,
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
  const slots = looks.map(({ job, queueId }): AnswerPlace | null =>
    job.dataLength > MAX_BYTES_OF_ONE ? null : batch.add('hget', `${queueId}:${job.jobId}`, 'data'),
  );
  await batch.run(client);
  const found = new Map<StateSample, { tenant: string; bytes: number }[]>();
  looks.forEach(({ job, state }, i) => {
    const slot = slots[i] ?? null;
    const data = batch.read((answers) => answers.text(slot));
    // Gone by now, or refused: as if it had not been drawn.
    if (data instanceof Refused || (slot !== null && data === null)) return;
    const tenant = data === null ? UNREAD_TENANT : tenantOf(data, path, redactor);
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

/** A name that only this process gives, so that nobody can try out whose it is. */
const NAMES_KEY = randomBytes(32);

function tenantOf(data: string, path: readonly string[], redactor: Redactor | null): string {
  const tenant = tenantIn(data, path);
  if (redactor === null || NOT_TENANTS.has(tenant)) return tenant;
  if (!redactor.hides(path.join('.')) && redactor.forJob([data]).text(tenant) === tenant) return tenant;
  return `hidden-${createHmac('sha256', NAMES_KEY).update(tenant).digest('hex').slice(0, 8)}`;
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

import { z } from 'zod';
import { jobTypeOf } from '../../agent/job-type-of.js';
import { ActionError } from '../model/action.js';
import { formatBytes, formatCount, formatJobs } from '../model/format.js';
import type { ParkEstimate } from '../replay/parking/estimate.js';
import {
  PARKABLE_STATES,
  type Parking,
  ParkingError,
  SKIP_WORDS,
  type SkipReason,
} from '../replay/parking/parking.js';
import type { Action, ActionContext } from './action.js';
import { queueOf, whyNoWrites } from './queue-target.js';

/** An action answers a person; what is not parked or back by then goes on in the background. */
export const PARKING_ANSWER_MS = 15_000;

/** What parking refuses, as an action says it. */
export async function asAction<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof ParkingError)) throw error;
    const isOfRequest = error.code === 'not-found' || error.code === 'invalid';
    throw new ActionError(isOfRequest ? error.code : 'unavailable', error.message);
  }
}

const schema = z.strictObject({
  jobType: z
    .string('must be the name of a job type')
    .min(1, 'must name a job type; leave it out for all')
    .max(1_000, 'must be at most 1,000 characters')
    .overwrite(jobTypeOf)
    .optional(),
  state: z.enum(['all', ...PARKABLE_STATES], `must be all, ${PARKABLE_STATES.join(', ')}`).default('all'),
  most: z.int('must be a whole number of jobs').min(1, 'must be at least 1').optional(),
});
type Args = z.infer<typeof schema>;

interface State {
  /** Of the parking that apply begins: undo must know it before. */
  readonly id: string;
  readonly estimate: ParkEstimate;
}

/** Takes jobs that wait out of Redis to the console's disk. */
export const park: Action<Args, State> = {
  name: 'queue.park',
  title: 'Park jobs',
  about:
    'Takes waiting, delayed or prioritized jobs, of some types or all, out of Redis to the console’s disk, from where they come back as they were.',
  scope: 'queue',
  role: 'operator',
  isDestructive: false,
  schema,
  unavailable: ({ snapshot }) => whyNoWrites(snapshot),
  async read(context, args) {
    const problem = context.parkings.problem;
    if (problem !== null) throw new ActionError('unavailable', problem);
    return {
      id: context.newId(),
      estimate: await asAction(() => context.parkings.estimate(requestOf(context, args))),
    };
  },
  preview({ estimate }, args) {
    const { jobs, freedBytes, isExact, looked } = estimate;
    const skipped = skippedInWords(estimate.skipped);
    return {
      summary:
        jobs === 0
          ? 'No job that can be parked matches.'
          : `Takes ${isExact ? '' : 'about '}${formatJobs(jobs)}${typesInWords(args)} out of Redis to disk and should free about ${formatBytes(freedBytes)}.`,
      fields: estimate.types.slice(0, 10).map(({ type, jobs, bytes }) => ({
        label: type === '' ? '(without a name)' : type,
        before: formatCount(jobs),
        after: `0, ${formatBytes(bytes)} less`,
      })),
      effects: [
        'They do not run until they are brought back; then they have their id, data, options, priority and due time as before, behind what waits by then.',
        ...(isExact
          ? []
          : [`The estimate is from ${formatCount(looked)} of ${formatCount(estimate.total)} jobs.`]),
        ...(skipped === '' ? [] : [`These stay in Redis: ${skipped}.`]),
      ],
      warnings: [],
      affected: { queues: 1, workers: null, jobs },
      predictedFreedBytes: freedBytes,
      isReversible: true,
      mechanism:
        'Each batch is written to parked.db and synced; then a script that Redis accepts over maxmemory removes those of it that are unchanged.',
      isNoop: jobs === 0,
    };
  },
  async apply(context, args, { id }) {
    return asAction(async () => {
      await context.parkings.begin(requestOf(context, args), id);
      const parking = await context.parkings.settled(id, PARKING_ANSWER_MS);
      return {
        summary: `${parkedInWords(parking)}${parking.state === 'running' ? ' It goes on.' : ''}`,
        freedBytes: parking.freedBytes,
        affectedJobs: parking.parked,
        isUnchanged: parking.parked === 0 && parking.state === 'done',
      };
    });
  },
  async verify(context, _args, { id }) {
    return asAction(async () => {
      const parking = await context.parkings.get(id);
      return {
        ok: parking.because === null,
        summary: parking.because ?? `${formatJobs(parking.remaining)} are on disk as parking ${id}.`,
        fields: [{ label: 'parked jobs', before: '0', after: formatCount(parking.remaining) }],
        warnings: [],
      };
    });
  },
  undo: ({ id, estimate }) =>
    estimate.jobs === 0 ? null : { action: 'queue.unpark', args: { parking: id } },
};

/** What was done, with what was left and why. */
export function parkedInWords(parking: Parking): string {
  const skipped = skippedInWords(parking.skipped);
  return `Parked ${formatJobs(parking.parked)} and freed ${formatBytes(parking.freedBytes)}.${skipped === '' ? '' : ` Left in Redis: ${skipped}.`}`;
}

/** "3 that have logs, …"; '' for none. */
export function skippedInWords(skipped: Readonly<Partial<Record<SkipReason, number>>>): string {
  return (Object.entries(skipped) as [SkipReason, number][])
    .map(([reason, jobs]) => `${formatCount(jobs)} (${SKIP_WORDS[reason]})`)
    .join(', ');
}

function requestOf(context: ActionContext, args: Args) {
  return {
    instance: context.target.instance,
    queue: queueOf(context).id,
    states: args.state === 'all' ? PARKABLE_STATES : [args.state],
    jobTypes: args.jobType ? [args.jobType] : null,
    most: args.most ?? null,
    reason: context.reason,
    actor: context.actor,
    origin: 'person' as const,
  };
}

function typesInWords({ jobType }: Args): string {
  return jobType ? ` of type ${jobType}` : '';
}

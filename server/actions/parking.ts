import { z } from 'zod';
import { jobTypeOf } from '../../agent/job-type-of.js';
import { ActionError } from '../model/action.js';
import { formatBytes, formatCount, formatJobs } from '../model/format.js';
import {
  bytesOnDisk,
  PARKABLE_STATES,
  type Parking,
  type ParkSkipReason,
  SKIP_WORDS,
} from '../model/parking.js';
import { isFull, memoryAfter, tooMuchInWords } from '../model/queue-verdict.js';
import { GUARDED_PER_SECOND, type ParkEstimate, RestoreRateSchema } from '../replay/parking/parking.js';
import { type Action, type ActionContext, changed, warning } from './action.js';
import { makeRoomFirst, targetQueue, whyNoWrites } from './queue-target.js';

/** An action answers a person; what is not parked or back by then goes on in the background. */
const PARKING_ANSWER_MS = 15_000;

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
  schema,
  unavailable: ({ snapshot }) => whyNoWrites(snapshot),
  async read(context, args) {
    const problem = context.parkings.problem;
    if (problem !== null) throw new ActionError('unavailable', problem);
    return {
      id: context.newId(),
      estimate: await context.parkings.estimate(requestOf(context, args)),
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
      fields: estimate.types
        .slice(0, 10)
        .map(({ type, jobs, bytes }) =>
          changed(
            type === '' ? '(without a name)' : type,
            formatCount(jobs),
            `0, ${formatBytes(bytes)} less`,
          ),
        ),
      effects: [
        'They don’t run until they are restored.',
        'Restored, they have their id, data, options, priority and due time as before, behind what waits by then.',
        ...(isExact
          ? []
          : [`The estimate is from ${formatCount(looked)} of ${formatCount(estimate.total)} jobs.`]),
        ...(skipped === '' ? [] : [`These stay in Redis: ${skipped}.`]),
      ],
      affected: { queues: 1, workers: null, jobs },
      predictedFreedBytes: freedBytes,
      mechanism:
        'Each batch is written to parked.db and synced; then a script that Redis accepts over maxmemory removes those of it that are unchanged.',
      isNoop: jobs === 0,
    };
  },
  async apply(context, args, { id }) {
    await context.parkings.begin(requestOf(context, args), id);
    const parking = await context.parkings.settled(id, PARKING_ANSWER_MS);
    return {
      isUnderWay: parking.state === 'running',
      summary: `${parkedInWords(parking)}${parking.state === 'running' ? ' It goes on.' : ''}`,
      freedBytes: parking.freedBytes,
      isUnchanged: parking.parked === 0 && parking.state === 'done',
    };
  },
  async verify(context, _args, { id }) {
    const parking = await context.parkings.get(id);
    return {
      ok: parking.because === null,
      summary: parking.because ?? `${formatJobs(parking.remaining)} are on disk as parking ${id}.`,
      fields: [changed('parked jobs', '0', formatCount(parking.remaining))],
    };
  },
  undo: ({ id, estimate }) =>
    estimate.jobs === 0 ? null : { action: 'queue.unpark', args: { parking: id } },
};

/** What was done, with what was left and why. */
function parkedInWords(parking: Parking): string {
  const skipped = skippedInWords(parking.skipped);
  return `Parked ${formatJobs(parking.parked)} and freed ${formatBytes(parking.freedBytes)}.${skipped === '' ? '' : ` Left in Redis: ${skipped}.`}`;
}

/** "3 that have logs, …"; '' for none. */
function skippedInWords(skipped: Readonly<Partial<Record<ParkSkipReason, number>>>): string {
  return (Object.entries(skipped) as [ParkSkipReason, number][])
    .map(([reason, jobs]) => `${formatCount(jobs)} (${SKIP_WORDS[reason]})`)
    .join(', ');
}

function requestOf(context: ActionContext, args: Args) {
  return {
    instance: context.target.instance,
    queue: targetQueue(context).id,
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

const unparkSchema = z.strictObject({
  parking: z.string().min(1, 'must be the id of a parking').max(100),
  ratePerSecond: RestoreRateSchema.optional(),
  guard: z.boolean('must be true or false').default(true),
});
type UnparkArgs = z.infer<typeof unparkSchema>;

/** Brings parked jobs back into Redis. */
export const unpark: Action<UnparkArgs, Parking> = {
  name: 'queue.unpark',
  title: 'Restore parked jobs',
  about:
    'Puts the jobs of a parking back as they were, oldest first, at a rate and under auto-throttle, which slows down when live jobs suffer; those whose id is there again are left.',
  scope: 'queue',
  role: 'operator',
  schema: unparkSchema,
  unavailable: ({ snapshot }) => whyNoWrites(snapshot),
  async read(context, args) {
    const parking = await context.parkings.get(args.parking);
    const queue = targetQueue(context).id;
    if (parking.instance !== context.target.instance || parking.queue !== queue)
      throw new ActionError(
        'invalid',
        `parking: ${parking.id} is of ${parking.queue} in ${parking.instance}`,
      );
    return parking;
  },
  preview(parking, args, { snapshot }) {
    const perSecond = args.ratePerSecond ?? (args.guard ? GUARDED_PER_SECOND : null);
    const seconds = perSecond === null ? null : Math.ceil(parking.remaining / perSecond);
    const memory = memoryAfter(snapshot, bytesOnDisk(parking));
    const tooMuch = memory && tooMuchInWords(memory);
    return {
      summary:
        parking.remaining === 0
          ? 'Nothing of this parking is left on disk.'
          : `Brings ${formatJobs(parking.remaining)} back${seconds === null ? '' : ` in about ${formatCount(seconds)} s`}.`,
      fields: [
        changed('parked jobs', formatCount(parking.remaining), '0'),
        ...(memory
          ? [
              changed(
                `memory of ${formatBytes(memory.limitBytes)}`,
                formatBytes(memory.usedBytes),
                `about ${formatBytes(memory.afterBytes)}`,
              ),
            ]
          : []),
      ],
      effects: [
        args.guard
          ? 'Auto-throttle looks at the first of them, and slows down or rests while live jobs, memory or Redis suffer.'
          : 'Auto-throttle is off: nothing slows this down when live jobs suffer.',
        'They wait behind what waits now; delayed ones run when they are due, or at once if they were.',
      ],
      warnings: isFull(snapshot)
        ? [warning('Redis is full: nothing comes back until there is room.', makeRoomFirst(snapshot))]
        : tooMuch
          ? [warning(tooMuch)]
          : [],
      affected: { queues: 1, workers: null, jobs: parking.remaining },
      mechanism: 'A script that Redis refuses over maxmemory; each job goes from the disk once Redis has it.',
      isNoop: parking.remaining === 0,
    };
  },
  async apply({ parkings }, args) {
    const { ratePerSecond = null, guard } = args;
    await parkings.restore(args.parking, { ratePerSecond, guard });
    const parking = await parkings.settled(args.parking, PARKING_ANSWER_MS);
    return {
      isUnderWay: parking.state === 'running',
      summary: restoredInWords(parking),
    };
  },
  async verify({ parkings }, args, before) {
    const { remaining, state, because } = await parkings.get(args.parking);
    return {
      ok: remaining === 0 || (state === 'running' && because === null),
      summary: because ?? `${formatJobs(remaining)} are left on disk.`,
      fields: [changed('parked jobs', formatCount(before.remaining), formatCount(remaining))],
    };
  },
};

/** "Restore running: 20 of 3,000 jobs back." */
function restoredInWords({ state, restored, existed, remaining, parked }: Parking): string {
  const back = `${formatCount(restored)} of ${formatJobs(parked)} back`;
  const there = existed > 0 ? `, ${formatCount(existed)} were there again` : '';
  if (state === 'running') return `Restore running: ${back}${there}.`;
  return `${back}${there}${remaining > 0 ? `, ${formatCount(remaining)} still on disk` : ''}.`;
}

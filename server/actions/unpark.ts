import { z } from 'zod';
import { ActionError } from '../model/action.js';
import { formatCount, formatJobs } from '../model/format.js';
import { isFull } from '../model/queue-verdict.js';
import { GUARDED_PER_SECOND, type Parking, RestoreRateSchema } from '../replay/parking/parking.js';
import type { Action } from './action.js';
import { asAction, PARKING_ANSWER_MS } from './parking.js';
import { makeRoomFirst, queueOf, whyNoWrites } from './queue-target.js';

const schema = z.strictObject({
  parking: z.string().min(1, 'must be the id of a parking').max(100),
  ratePerSecond: RestoreRateSchema.optional(),
  guard: z.boolean('must be true or false').default(true),
});
type Args = z.infer<typeof schema>;

/** Brings parked jobs back into Redis. */
export const unpark: Action<Args, Parking> = {
  name: 'queue.unpark',
  title: 'Bring parked jobs back',
  about:
    'Puts the jobs of a parking back as they were, oldest first, at a rate and under the guard of replays, which slows down when live jobs suffer; those whose id is there again are left.',
  scope: 'queue',
  role: 'operator',
  isDestructive: false,
  schema,
  unavailable: ({ snapshot }) => whyNoWrites(snapshot),
  async read(context, args) {
    const parking = await asAction(() => context.parkings.get(args.parking));
    const queue = queueOf(context).id;
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
    return {
      summary:
        parking.remaining === 0
          ? 'Nothing of this parking is left on disk.'
          : `Brings ${formatJobs(parking.remaining)} back${seconds === null ? '' : ` in about ${formatCount(seconds)} s`}.`,
      fields: [{ label: 'parked jobs', before: formatCount(parking.remaining), after: '0' }],
      effects: [
        'They wait behind what waits now; delayed ones run when they are due, or at once if they were.',
        args.guard
          ? 'The guard looks at the first of them, and slows down or rests while live jobs, memory or Redis suffer.'
          : 'The guard is off: nothing slows this down when live jobs suffer.',
      ],
      warnings: isFull(snapshot)
        ? [
            {
              text: 'Redis is full: nothing comes back until there is room.',
              instead: makeRoomFirst(snapshot),
            },
          ]
        : [],
      affected: { queues: 1, workers: null, jobs: parking.remaining },
      predictedFreedBytes: null,
      isReversible: false,
      mechanism: 'A script that Redis refuses over maxmemory; each job goes from the disk once Redis has it.',
      isNoop: parking.remaining === 0,
    };
  },
  async apply({ parkings }, args) {
    return asAction(async () => {
      const { ratePerSecond = null, guard } = args;
      await parkings.restore(args.parking, { ratePerSecond, guard });
      const parking = await parkings.settled(args.parking, PARKING_ANSWER_MS);
      return {
        summary: `${formatJobs(parking.restored)} are back${parking.existed > 0 ? `, ${formatCount(parking.existed)} were there again` : ''}${parking.remaining > 0 ? `, ${formatCount(parking.remaining)} are to come` : ''}.`,
        freedBytes: null,
        affectedJobs: parking.restored,
      };
    });
  },
  async verify({ parkings }, args, before) {
    return asAction(async () => {
      const { remaining, state, because } = await parkings.get(args.parking);
      return {
        ok: remaining === 0 || (state === 'running' && because === null),
        summary: because ?? `${formatJobs(remaining)} are left on disk.`,
        fields: [
          { label: 'parked jobs', before: formatCount(before.remaining), after: formatCount(remaining) },
        ],
        warnings: [],
      };
    });
  },
  undo: () => null,
};

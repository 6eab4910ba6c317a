import { z } from 'zod';
import type { WorkerResult } from '../model/action.js';
import { formatCount } from '../model/format.js';
import type { KeptOrder, WorkerState } from '../model/worker.js';
import type { Action } from './action.js';
import { listeners, standingOf, takeBackAll, whyDeaf, whyNoOrders } from './give-order.js';
import { appliedOf, verifiedOf } from './order-answers.js';
import { queueOf } from './queue-target.js';
import { slotsInWords, whileFull } from './worker-settings.js';

const schema = z.strictObject({});
interface State {
  readonly workers: readonly WorkerState[];
  /** As they stand in Redis. */
  readonly standing: readonly KeptOrder[];
  results: readonly WorkerResult[];
}

/** Takes back every order of a queue and of its workers: all are again as they were deployed. */
export const workersRevert: Action<z.infer<typeof schema>, State> = {
  name: 'workers.revert',
  title: 'Revert all workers',
  about: 'Takes back every order to the workers of this queue: all are again as they were deployed.',
  scope: 'queue',
  role: 'operator',
  isDestructive: false,
  schema,
  // An order that ends workers at their start must be taken back while none of them is there.
  unavailable: (context) =>
    (context.target.queue?.overrides.length ?? 0) > 0 ? whyDeaf(context.snapshot) : whyNoOrders(context),
  async read(context) {
    const workers = listeners(queueOf(context).id, context.snapshot, context.nowMs);
    return { workers, standing: await standingOf(context), results: [] };
  },
  preview({ workers, standing }, _args, context) {
    const queue = queueOf(context);
    const before = workers.map((worker) => worker.agent?.concurrency.now ?? 0);
    const after = workers.map((worker) => worker.agent?.concurrency.deployed ?? 0);
    const paused = workers.filter((worker) => worker.agent?.paused === 'order').length;
    const count = standing.length;
    return {
      summary: `${count === 1 ? '1 order is' : `${formatCount(count)} orders are`} taken back; every worker is as it was deployed.`,
      fields: [
        { label: 'slots of its workers', before: slotsInWords(before), after: slotsInWords(after) },
        { label: 'overrides', before: formatCount(count), after: '0' },
      ],
      effects:
        paused > 0
          ? [`${paused === 1 ? '1 paused worker takes' : `${paused} paused workers take`} jobs again.`]
          : [],
      warnings: whileFull(context.snapshot, false),
      affected: { queues: 1, workers: workers.length, jobs: queue.backlog },
      predictedFreedBytes: null,
      isReversible: false,
      mechanism: 'The overrides are removed from the queue’s meta hash, and the agents are told.',
      isNoop: count === 0,
    };
  },
  async apply(context, _args, state) {
    state.results = await takeBackAll(context);
    return appliedOf(state.results, 'as deployed', true);
  },
  async verify(_context, _args, { workers, results }) {
    const before = workers.map((worker) => worker.agent?.concurrency.now ?? 0);
    const after = results.flatMap(({ concurrency }) => concurrency ?? []);
    return verifiedOf(results, [
      { label: 'slots of its workers', before: slotsInWords(before), after: slotsInWords(after) },
    ]);
  },
  undo: () => null,
};

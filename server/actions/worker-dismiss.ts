import { z } from 'zod';
import { ActionError } from '../model/action.js';
import { formatUtcTime } from '../model/format.js';
import type { WorkerState } from '../model/worker.js';
import type { Action } from './action.js';

interface State {
  readonly worker: WorkerState;
  /** Filled by apply: false where the store still holds it. */
  isKept: boolean;
}

/** For a worker that is gone and is not to come back. Kept by the console; Redis and workers know nothing of it. */
export const workerDismiss: Action<object, State> = {
  name: 'worker.dismiss',
  title: 'Dismiss a worker that is gone',
  about:
    'A worker that is gone without a shutdown signal is missed until a successor is heard. Dismissed, it is missed no more: for one that is not to come back.',
  scope: 'worker',
  role: 'operator',
  isDestructive: false,
  schema: z.strictObject({}),
  unavailable: ({ target: { worker } }) =>
    !worker || worker.verdict === 'crashed'
      ? null
      : `${worker.label} is not gone (${worker.verdict}): only one that has crashed can be dismissed`,
  async read({ target: { worker } }) {
    if (!worker) throw new ActionError('invalid', 'workers: this action acts on a worker');
    return { worker, isKept: true };
  },
  preview({ worker }, _args, { nowMs }) {
    return {
      summary: `${worker.label}, gone since ${formatUtcTime(worker.lastSeenAtMs)}, is not missed any more.`,
      fields: [{ label: 'state', before: 'gone', after: 'dismissed' }],
      effects: [
        'It leaves the list of workers, and findings and alerts about its absence end.',
        'Nothing in Redis or in other workers changes. AgentMessages again, it is listed again.',
      ],
      warnings:
        (worker.locks?.held ?? 0) > 0 && (worker.locks?.lastExpiryAtMs ?? 0) > nowMs
          ? [
              {
                text: 'Jobs that it had in hand are still locked, and come back when that ends.',
                instead: [],
              },
            ]
          : [],
      affected: { queues: 1, workers: 1, jobs: 0 },
      predictedFreedBytes: null,
      isReversible: false,
      mechanism: 'Kept by the console alone.',
      isNoop: false,
    };
  },
  async apply(context, _args, state) {
    const isKept = await context.dismissWorker(state.worker.id);
    if (isKept === null)
      throw new ActionError(
        'unavailable',
        `${state.worker.label} is not missed any more: it is heard again, or was dismissed`,
      );
    state.isKept = isKept;
    return {
      summary: `${state.worker.label} is not missed any more.`,
      freedBytes: null,
      affectedJobs: null,
    };
  },
  async verify(_context, _args, { isKept }) {
    return {
      ok: true,
      summary: 'It is off the list.',
      fields: [{ label: 'state', before: 'gone', after: 'dismissed' }],
      warnings: isKept
        ? []
        : ['The store could not be written: after a restart of the console it is missed again.'],
    };
  },
  undo: () => null,
};

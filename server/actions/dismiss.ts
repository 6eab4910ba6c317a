import { z } from 'zod';
import { ActionError, type Applied } from '../model/action.js';
import { formatDuration, formatUtcTime } from '../model/format.js';
import type { WorkerState } from '../model/worker.js';
import { LOSS_SHOWN_MS } from '../watch/data-loss.js';
import { type Action, changed, warning } from './action.js';

interface LossState {
  readonly foundAtMs: number;
  readonly text: string;
}

/** For a loss of data that people have dealt with. Kept in the audit, from which a console that restarts knows it too. */
export const dismissLoss: Action<object, LossState> = {
  name: 'redis.dismiss-loss',
  title: 'Dismiss that jobs were lost',
  about: `A loss of data is shown for ${formatDuration(LOSS_SHOWN_MS / 1000)}. Dismissed, it is shown no more: for one that is dealt with. A new loss is shown again.`,
  scope: 'instance',
  role: 'operator',
  schema: z.strictObject({}),
  unavailable: ({ snapshot: { dataLoss } }) =>
    dataLoss ? null : 'no loss of data is shown here: there was none in the last day, or it was dismissed',
  async read({ snapshot: { dataLoss } }) {
    if (!dataLoss) throw new ActionError('unavailable', 'no loss of data is shown here');
    return { foundAtMs: dataLoss.atMs, text: dataLoss.text };
  },
  preview: ({ foundAtMs, text }, _args, { snapshot }) => ({
    summary: `That jobs were lost is shown no more: ${text}.`,
    fields: [fieldOf(foundAtMs)],
    effects: [
      'The finding ends, and so does its alert. The timeline keeps the loss, and who has dismissed it and why.',
      'Nothing in Redis changes, and no job comes back. A new loss is shown again.',
    ],
    affected: { queues: snapshot.dataLoss?.queues.length ?? 0, workers: null, jobs: 0 },
    mechanism: 'Kept by the console alone, in its audit.',
  }),
  async apply(context, _args, { foundAtMs }) {
    context.dismissLoss(foundAtMs);
    return { summary: 'The loss is dismissed.' };
  },
  verify: async (_context, _args, { foundAtMs }) => ({
    ok: true,
    summary: 'It is shown no more.',
    fields: [fieldOf(foundAtMs)],
  }),
};

const fieldOf = (foundAtMs: number) =>
  changed('the finding', `shown since ${formatUtcTime(foundAtMs)}`, 'dismissed');

/** `isKept`: false where the store could not be written. */
type Dismissed = Applied & { readonly isKept: boolean };

/** For a worker that is gone and is not to come back. Kept by the console; Redis and workers know nothing of it. */
export const workerDismiss: Action<object, { readonly worker: WorkerState }, Dismissed> = {
  name: 'worker.dismiss',
  title: 'Dismiss a worker that is gone',
  about:
    'A worker that is gone without a shutdown signal is missed until a successor is heard. Dismissed, it is missed no more: for one that is not to come back.',
  scope: 'worker',
  role: 'operator',
  schema: z.strictObject({}),
  unavailable: ({ target: { worker } }) =>
    !worker || worker.verdict === 'crashed'
      ? null
      : `${worker.label} is not gone (${worker.verdict}): only one that has crashed can be dismissed`,
  async read({ target: { worker } }) {
    if (!worker) throw new ActionError('invalid', 'workers: this action acts on a worker');
    return { worker };
  },
  preview({ worker }, _args, { nowMs }) {
    return {
      summary: `${worker.label}, gone since ${formatUtcTime(worker.lastSeenAtMs)}, is not missed any more.`,
      fields: [changed('state', 'gone', 'dismissed')],
      effects: [
        'It leaves the list of workers, and findings and alerts about its absence end.',
        'Nothing in Redis or in other workers changes. When it is heard again, it is listed again.',
      ],
      warnings:
        (worker.locks?.held ?? 0) > 0 && (worker.locks?.lastExpiryAtMs ?? 0) > nowMs
          ? [warning('Jobs that it had in hand are still locked, and come back when that ends.')]
          : [],
      affected: { queues: 1, workers: 1, jobs: 0 },
      mechanism: 'Kept by the console alone.',
    };
  },
  async apply(context, _args, { worker }) {
    const isKept = await context.dismissWorker(worker.id);
    if (isKept === null)
      throw new ActionError(
        'unavailable',
        `${worker.label} is not missed any more: it is heard again, or was dismissed`,
      );
    return {
      summary: `${worker.label} is not missed any more.`,
      isKept,
    };
  },
  async verify(_context, _args, _state, { isKept }) {
    return {
      ok: true,
      summary: 'It is off the list.',
      fields: [changed('state', 'gone', 'dismissed')],
      warnings: isKept
        ? []
        : ['The store could not be written: after a restart of the console it is missed again.'],
    };
  },
};

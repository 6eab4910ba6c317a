import { z } from 'zod';
import { ActionError } from '../model/action.js';
import { formatDuration, formatUtcTime } from '../model/format.js';
import { LOSS_TOLD_MS } from '../watch/data-loss.js';
import type { Action } from './action.js';

interface State {
  readonly foundAtMs: number;
  readonly text: string;
}

/** For a loss of data that people have dealt with. Kept in the audit, from which a console that restarts knows it too. */
export const dismissLoss: Action<object, State> = {
  name: 'redis.dismiss-loss',
  title: 'Dismiss that jobs were lost',
  about: `A loss of data is told for ${formatDuration(LOSS_TOLD_MS / 1000)}. Dismissed, it is told no more: for one that is dealt with. A new loss is told anew.`,
  scope: 'instance',
  role: 'operator',
  isDestructive: false,
  schema: z.strictObject({}),
  unavailable: ({ snapshot: { dataLoss } }) =>
    dataLoss ? null : 'no loss of data is told here: there was none in the last day, or it was dismissed',
  async read({ snapshot: { dataLoss } }) {
    if (!dataLoss) throw new ActionError('unavailable', 'no loss of data is told here');
    return { foundAtMs: dataLoss.atMs, text: dataLoss.text };
  },
  preview: ({ foundAtMs, text }, _args, { snapshot }) => ({
    summary: `That jobs were lost is told no more: ${text}.`,
    fields: [fieldOf(foundAtMs)],
    effects: [
      'The finding ends, and so does its alert. The timeline keeps the loss, and who has dismissed it and why.',
      'Nothing in Redis changes, and no job comes back. A new loss is told anew.',
    ],
    warnings: [],
    affected: { queues: snapshot.dataLoss?.queues.length ?? 0, workers: null, jobs: 0 },
    predictedFreedBytes: null,
    isReversible: false,
    mechanism: 'Kept by the console alone, in its audit.',
    isNoop: false,
  }),
  async apply(context, _args, { foundAtMs }) {
    context.dismissLoss(foundAtMs);
    return { summary: 'The loss is dismissed.', freedBytes: null, affectedJobs: null };
  },
  verify: async (_context, _args, { foundAtMs }) => ({
    ok: true,
    summary: 'It is told no more.',
    fields: [fieldOf(foundAtMs)],
    warnings: [],
  }),
  undo: () => null,
};

const fieldOf = (foundAtMs: number) => ({
  label: 'the finding',
  before: `told since ${formatUtcTime(foundAtMs)}`,
  after: 'dismissed',
});

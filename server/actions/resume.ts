import { z } from 'zod';
import type { ActionWarning } from '../model/action.js';
import { formatCount } from '../model/format.js';
import { isFull } from '../model/queue-verdict.js';
import type { Snapshot } from '../model/snapshot.js';
import { type QueueControl, readControl, resumeQueue } from '../redis/queue-control.js';
import { parsePauseRecord } from '../redis/queue-reading.js';
import type { Action } from './action.js';
import { forecast } from './forecast.js';
import {
  controlFields,
  flowInWords,
  handleOf,
  limitInWords,
  makeRoomFirst,
  queueOf,
  whyNoWrites,
} from './queue-target.js';

type Args = Record<never, never>;

/** Lets a paused, by Spillway or its application queue run again. */
export const resume: Action<Args, QueueControl> = {
  name: 'queue.resume',
  title: 'Resume',
  about:
    'Workers start jobs of this queue again: takes back the console’s pause and the application’s own pause.',
  scope: 'queue',
  role: 'operator',
  isDestructive: false,
  schema: z.strictObject({}),
  unavailable: ({ snapshot }) => whyNoWrites(snapshot),
  read: (context) => readControl(handleOf(context)),
  preview(control, _args, context) {
    const restored = concurrencyAfter(control);
    const waiting = control.waiting + control.legacyPaused + control.prioritized;
    const told = forecast(context, { pauseQueue: false, globalConcurrency: restored });
    const isNoop =
      control.pauseRecord === null && !control.isPausedByApplication && control.legacyPaused === 0;
    return {
      summary: isNoop ? 'The queue is running already.' : 'Workers take jobs of this queue again, at once.',
      fields: [
        { label: 'queue', before: flowInWords(control), after: 'running' },
        {
          label: 'global concurrency',
          before: limitInWords(control.concurrency),
          after: limitInWords(restored),
        },
      ],
      effects: [
        `${formatCount(waiting)} waiting jobs can start.`,
        ...(control.legacyPaused > 0
          ? [
              `${formatCount(control.legacyPaused)} of them lie in BullMQ 5’s paused list and are merged before the newer ones.`,
            ]
          : []),
        ...(isNoop ? [] : told.effects),
      ],
      warnings: [
        ...warningsOf(control, restored, context.snapshot, queueOf(context).id),
        ...(isNoop ? [] : told.warnings),
      ],
      affected: { queues: 1, workers: queueOf(context).workers, jobs: waiting },
      predictedFreedBytes: null,
      isReversible: true,
      mechanism:
        'Restores the concurrency that stood before the pause, removes BullMQ’s pause flag, merges a legacy paused list into wait without overwriting it, and wakes idle workers by the marker.',
      isNoop,
      forecast: told.forecast,
    };
  },
  async apply(context, _args, control) {
    const brought = await resumeQueue(handleOf(context));
    const waiting = control.waiting + control.legacyPaused + control.prioritized;
    return {
      summary:
        brought > 0
          ? `Resumed; ${formatCount(brought)} jobs of BullMQ 5’s paused list wait again, before the newer ones.`
          : 'Resumed.',
      freedBytes: null,
      affectedJobs: waiting,
    };
  },
  async verify(context, _args, before) {
    const after = await readControl(handleOf(context));
    const ok = after.pauseRecord === null && !after.isPausedByApplication && after.legacyPaused === 0;
    return {
      ok,
      summary: ok
        ? 'Redis holds neither pause nor pause.'
        : `The queue is ${flowInWords(after)}: something else has changed it meanwhile.`,
      fields: controlFields(before, after),
      warnings:
        after.concurrency === 0
          ? ['Global concurrency is 0 without a pause of the console: no job starts. Set or remove it.']
          : [],
    };
  },
  undo: () => ({ action: 'queue.pause', args: {} }),
};

/** A concurrency that the application set during the pause is newer than what the record remembers. */
function concurrencyAfter(control: QueueControl): number | null {
  if (control.pauseRecord === null || control.concurrency !== 0) return control.concurrency;
  return parsePauseRecord(control.pauseRecord)?.formerConcurrency ?? null;
}

function warningsOf(
  control: QueueControl,
  restored: number | null,
  snapshot: Snapshot,
  queueId: string,
): readonly ActionWarning[] {
  const warnings: ActionWarning[] = [];
  if (isFull(snapshot)) {
    warnings.push({
      text: 'Redis is full: idle workers are refused when they take a job, so nothing starts. Make room first.',
      instead: makeRoomFirst(snapshot),
    });
  }
  if (restored === 0) {
    warnings.push({
      text: 'The application itself had set global concurrency 0 before: it comes back, and still no job starts until it is raised or removed.',
      instead: [
        {
          action: 'queue.concurrency',
          label: 'Remove the global concurrency',
          effect: 'Only the workers’ own concurrency limits the queue then.',
          queues: [queueId],
          args: { value: null },
        },
      ],
    });
  }
  if (control.isPausedByApplication) {
    warnings.push({
      text: 'The application paused this queue itself: somebody may have had a reason. Pausing it again from here uses the console’s own mechanism.',
      instead: [],
    });
  }
  return warnings;
}

import { z } from 'zod';
import type { ActionWarning } from '../model/action.js';
import { formatCount } from '../model/format.js';
import { isFull } from '../model/queue-verdict.js';
import type { Snapshot } from '../model/snapshot.js';
import { pauseBySpillway, type QueueControl, readControl, resumeQueue } from '../redis/queue-control.js';
import { parsePauseRecord } from '../redis/queue-reading.js';
import { type Action, changed, warning } from './action.js';
import { forecast } from './forecast.js';
import {
  controlFields,
  handleOf,
  limitInWords,
  makeRoomFirst,
  oldVersionWarning,
  pausesInWords,
  targetQueue,
  whyNoWrites,
} from './queue-target.js';

/** Lets a queue run again that is paused, by Spillway or by its application. */
export const resume: Action<object, QueueControl> = {
  name: 'queue.resume',
  title: 'Resume',
  about:
    'Workers start jobs of this queue again: takes back the console’s pause and the application’s own pause.',
  scope: 'queue',
  role: 'operator',
  schema: z.strictObject({}),
  unavailable: ({ snapshot }) => whyNoWrites(snapshot),
  read: (context) => readControl(handleOf(context)),
  preview(control, _args, context) {
    const restored = concurrencyAfter(control);
    const waiting = control.waiting + control.legacyPaused + control.prioritized;
    const outlook = forecast(context, { pauseQueue: false, globalConcurrency: restored });
    const isNoop =
      control.pauseRecord === null && !control.isPausedByApplication && control.legacyPaused === 0;
    return {
      summary: isNoop ? 'The queue is running already.' : 'Workers take jobs of this queue again, at once.',
      fields: [
        changed('queue', pausesInWords(control), 'running'),
        changed('global concurrency', limitInWords(control.concurrency), limitInWords(restored)),
      ],
      effects: [
        `${formatCount(waiting)} waiting jobs can start.`,
        ...(control.legacyPaused > 0
          ? [
              `${formatCount(control.legacyPaused)} of them lie in BullMQ 5’s paused list and are merged before the newer ones.`,
            ]
          : []),
        ...(isNoop ? [] : outlook.effects),
      ],
      warnings: [
        ...resumeWarnings(control, restored, context.snapshot, targetQueue(context).id),
        ...(isNoop ? [] : outlook.warnings),
      ],
      affected: { queues: 1, workers: targetQueue(context).workers, jobs: waiting },
      mechanism:
        'Restores the concurrency that stood before the pause, removes BullMQ’s pause flag, merges a legacy paused list into wait without overwriting it, and wakes idle workers by the marker.',
      isNoop,
      forecast: outlook.forecast,
    };
  },
  async apply(context) {
    const brought = await resumeQueue(handleOf(context));
    return {
      summary:
        brought > 0
          ? `Resumed; ${formatCount(brought)} jobs of BullMQ 5’s paused list wait again, before the newer ones.`
          : 'Resumed.',
    };
  },
  async verify(context, _args, before) {
    const after = await readControl(handleOf(context));
    const ok = after.pauseRecord === null && !after.isPausedByApplication && after.legacyPaused === 0;
    return {
      ok,
      summary: ok
        ? 'Redis holds no pause of either kind.'
        : `The queue is ${pausesInWords(after)}: something else has changed it meanwhile.`,
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

function resumeWarnings(
  control: QueueControl,
  restored: number | null,
  snapshot: Snapshot,
  queueId: string,
): readonly ActionWarning[] {
  const warnings: ActionWarning[] = [];
  if (isFull(snapshot)) {
    warnings.push(
      warning(
        'Redis is full: idle workers are refused when they take a job, so nothing starts. Make room first.',
        makeRoomFirst(snapshot),
      ),
    );
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
    warnings.push(
      warning(
        'The application paused this queue itself: somebody may have had a reason. Pausing it again from here uses the console’s own mechanism.',
      ),
    );
  }
  return warnings;
}

/** Stops a queue from starting jobs, safely for BullMQ 5 and 6 and also while Redis is full. */
export const pause: Action<object, QueueControl> = {
  name: 'queue.pause',
  title: 'Pause',
  about:
    'Workers start no more jobs of this queue until it is resumed. Running jobs finish; producers can still add.',
  scope: 'queue',
  role: 'operator',
  schema: z.strictObject({}),
  unavailable: ({ snapshot }) => whyNoWrites(snapshot),
  read: (context) => readControl(handleOf(context)),
  preview(control, _args, context) {
    const queue = targetQueue(context);
    const isPausedBySpillway = control.pauseRecord !== null && control.concurrency === 0;
    const waiting = control.waiting + control.legacyPaused + control.prioritized;
    const arrivals = queue.rates?.arrivalsPerSecond ?? 0;
    const outlook = forecast(context, { pauseQueue: true });
    return {
      summary: isPausedBySpillway
        ? 'The queue is paused already.'
        : 'No more jobs of this queue start until it is resumed.',
      fields: [
        changed('queue', pausesInWords(control), 'paused by Spillway'),
        changed('global concurrency', limitInWords(control.concurrency), '0'),
      ],
      effects: [
        `${formatCount(waiting)} waiting jobs stay where they are; ${formatCount(control.active)} running jobs finish.`,
        ...(arrivals > 0 ? outlook.effects : ['Producers can still add; nothing arrives at the moment.']),
        ...quietWhenFull(context.snapshot, control),
      ],
      warnings: [
        ...whenFull(context.snapshot, control),
        ...outlook.warnings,
        ...oldVersionWarning(control.version, 'global concurrency'),
      ],
      affected: { queues: 1, workers: queue.workers, jobs: waiting },
      mechanism:
        'Global concurrency 0 in the queue’s meta hash, with the former value beside it; no list is renamed, so BullMQ 5 and 6 can share the queue. BullMQ itself will not say "paused".',
      isNoop: isPausedBySpillway,
      forecast: outlook.forecast,
    };
  },
  async apply(context) {
    const isDone = await pauseBySpillway(handleOf(context), context.nowMs, context.actor);
    return { summary: isDone ? 'Paused.' : 'It was paused already.' };
  },
  async verify(context, _args, before) {
    const after = await readControl(handleOf(context));
    const ok = after.concurrency === 0 && after.pauseRecord !== null;
    return {
      ok,
      summary: ok
        ? 'Redis holds the pause.'
        : 'The pause is not in Redis: something else has changed the queue meanwhile.',
      fields: controlFields(before, after),
    };
  },
  undo: () => ({ action: 'queue.resume', args: {} }),
};

/**
 * Idle workers that are refused while full ask again at once. Measured with BullMQ 5.81 and 6.7, 10 slots each: 8,600
 * errors a second before a pause, none after it, as a worker of a paused queue writes nothing and blocks.
 */
function quietWhenFull(snapshot: Parameters<typeof isFull>[0], control: QueueControl): readonly string[] {
  return isFull(snapshot) && control.active === 0
    ? [
        'Idle workers, which Redis refuses in a busy loop while it is full, fall quiet: that frees its CPU for the rest.',
      ]
    : [];
}

/** A busy worker still drains over the limit, since finishing a job frees before the next is taken; a pause ends that. */
function whenFull(snapshot: Parameters<typeof isFull>[0], control: QueueControl): readonly ActionWarning[] {
  if (!isFull(snapshot) || control.active === 0) return [];
  return [
    warning(
      `Redis is full: ${formatCount(control.active)} busy slots may still be draining this queue, and once they stop they don't start again before there is room. Make room first.`,
      makeRoomFirst(snapshot),
    ),
  ];
}

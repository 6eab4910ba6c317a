import type { Field } from '../model/action.js';
import type { QueueControl } from '../redis/queue-control.js';
import { flowInWords, limitInWords } from './queue-target.js';

/** Whether a queue runs and how much of it at once: as it was, and as it is now. */
export function controlFields(before: QueueControl, after: QueueControl): readonly Field[] {
  return [
    { label: 'queue', before: flowInWords(before), after: flowInWords(after) },
    {
      label: 'global concurrency',
      before: limitInWords(before.concurrency),
      after: limitInWords(after.concurrency),
    },
  ];
}

/** Whose queue it is. Those of others than BullMQ are under the same prefix, and are counted alone. */
export const QUEUE_KINDS = ['bullmq', 'bullmq-pro', 'bull'] as const;
export type QueueKind = (typeof QUEUE_KINDS)[number];

/** As a word beside its name. */
export const KIND_WORDS: Readonly<Record<QueueKind, string>> = {
  bullmq: 'BullMQ',
  'bullmq-pro': 'BullMQ Pro groups',
  bull: 'Bull',
};

const WHY: Readonly<Record<QueueKind, string | null>> = {
  bullmq: null,
  'bullmq-pro':
    'it has groups of BullMQ Pro, whose keys are not public: it is counted, without the jobs in its groups, and no action is offered',
  bull: 'it is a queue of Bull, and actions are written for BullMQ: it is counted, and no action is offered',
};

/** Why nothing is done to a queue, as part of a sentence; null: it is one of BullMQ. */
export function whyReadOnly({ kind }: { readonly kind: QueueKind }): string | null {
  return WHY[kind];
}

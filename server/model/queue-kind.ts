/** Whose queue it is. Those of others than BullMQ are under the same prefix, and are counted alone. */
export const QUEUE_KINDS = ['bullmq', 'bullmq-pro', 'bull'] as const;
export type QueueKind = (typeof QUEUE_KINDS)[number];

/** As a word beside its name. */
export const KIND_WORDS: Readonly<Record<QueueKind, string>> = {
  bullmq: 'BullMQ',
  'bullmq-pro': 'Pro groups',
  bull: 'Bull',
};

const WHY: Readonly<Record<QueueKind, string | null>> = {
  bullmq: null,
  'bullmq-pro':
    'a queue with groups of BullMQ Pro, whose keys are not public: it is counted without the jobs in its groups, and no action is taken on it',
  bull: 'a queue of Bull, not of BullMQ: it is counted, and no action is taken on it',
};

/** What a queue is that nothing is done to, and why, as the end of "it is …"; null: it is one of BullMQ. */
export function whyReadOnly({ kind }: { readonly kind: QueueKind }): string | null {
  return WHY[kind];
}

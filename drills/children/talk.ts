/** What a drill's child processes report to their parent: every job id leaves Redis's world here, so that none can get lost unseen. */
export type ChildSays =
  | { readonly kind: 'ready' | 'ended' }
  | {
      readonly kind: 'accepted' | 'refused' | 'completed';
      readonly queue: string;
      readonly ids: readonly string[];
    }
  /** From the adding of jobs to their end. */
  | { readonly kind: 'latencies'; readonly queue: string; readonly ms: readonly number[] }
  /** From the adding of jobs to their start. */
  | { readonly kind: 'waits'; readonly queue: string; readonly ms: readonly number[] }
  /** Jobs of one type that failed for good, and when the first of them did. */
  | {
      readonly kind: 'failed';
      readonly queue: string;
      readonly jobName: string;
      readonly ids: readonly string[];
      readonly atMs: number;
    }
  /** `error` events of workers since the last word. */
  | { readonly kind: 'errors'; readonly count: number };

/** The parent asks a child to finish what it has in hand and end. */
export const STOP = 'stop';

/** The plan that the parent gave at start, as JSON in the first argument. */
export function readPlan<Plan>(): Plan {
  return JSON.parse(process.argv[2] ?? '{}') as Plan;
}

export function say(message: ChildSays): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}

/**
 * Ends this process when the parent asks, once `finish` is through; at once when the parent is gone.
 * Ctrl-C reaches the whole process group: the parent decides what it means, so it is not heard here.
 */
export function endWithParent(finish: () => Promise<void>): void {
  process.on('SIGINT', () => undefined);
  process.on('disconnect', () => process.exit(0));
  process.on('message', (message) => {
    if (message === STOP)
      void finish().finally(() => process.send?.({ kind: 'ended' }, () => process.exit(0)));
  });
}

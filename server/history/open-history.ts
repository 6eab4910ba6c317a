import type { Watch } from '../watch/watch.js';
import { History, type HistoryOptions } from './history.js';
import type { HistoryLog } from './history-log.js';

export interface OpenedHistory {
  readonly log: HistoryLog;
  /** Keeps what signals are from now on. */
  follow(watch: Pick<Watch, 'onTick' | 'snapshot'>): void;
  /** Writes what is not written yet. */
  stop(): Promise<void>;
}

/**
 * Opens `history.db` in the data directory. A directory that can't be written does not stop the console: `problem` of
 * the log then says why nothing is kept, and it is tried again every few seconds.
 */
export async function openHistory(options: HistoryOptions): Promise<OpenedHistory> {
  const history = new History(options);
  await history.work();
  let unfollow = (): unknown => undefined;
  return {
    log: history,
    follow(watch) {
      unfollow = watch.onTick((instance) => {
        const snapshot = watch.snapshot(instance);
        if (snapshot) history.take(snapshot, options.now());
        void history.work();
      }, 'history');
    },
    async stop() {
      unfollow();
      await history.stop();
    },
  };
}

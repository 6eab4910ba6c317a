import type { HistorySettings } from '../../model/history/tiers.js';
import type { Watch } from '../../watch/watch.js';
import type { HistoryLog } from './history-log.js';

export interface OpenHistory {
  /** Of `history.db`. */
  readonly directory: string;
  readonly settings: HistorySettings;
  readonly now: () => number;
  readonly warn: (message: string) => void;
}

export interface OpenedHistory {
  readonly log: HistoryLog;
  /** Keeps what signals are from now on. */
  follow(watch: Pick<Watch, 'onTick' | 'snapshot'>): void;
  /** Writes what is not written yet. */
  stop(): Promise<void>;
}

export async function openHistory(_options: OpenHistory): Promise<OpenedHistory> {
  return {
    log: {
      read: async () => ({ stepMs: 1_000, atMs: [], mean: [], min: [], max: [] }),
      series: async () => [],
      problem: () => null,
    },
    follow: () => undefined,
    stop: async () => undefined,
  };
}

import type { ChannelHealth } from '../model/console-health.js';
import type { Fence } from '../store/tables.js';
import type { Notification } from './notification.js';

/**
 * `pending`: waits for its time. `sending`: a holder of the lease has it in hand. `standing`: delivered, and told again
 * at intervals because it still fires. `sent`: delivered. `dead`: given up; a person may send it again.
 */
export type OutboxState = 'pending' | 'sending' | 'standing' | 'sent' | 'dead';

/** One notification for one channel. */
export interface OutboxEntry {
  /** In order of arrival. */
  readonly seq: number;
  readonly channel: string;
  readonly notification: Notification;
  readonly state: OutboxState;
  readonly tries: number;
  readonly createdAtMs: number;
  readonly nextTryAtMs: number;
  /** The last time that it arrived; null: it has not yet. */
  readonly deliveredAtMs: number | null;
  /** What went wrong last, without secrets; null: nothing yet. */
  readonly lastError: string | null;
}

/** The durable side of the outbox: bounded, shared by all consoles of one store. */
export interface OutboxStore {
  /** Keeps a notification for each channel, durable once this resolves. One that is kept already is left as it is. */
  add(notification: Notification, channels: readonly string[], nowMs: number): Promise<void>;
  /**
   * Keeps, for each channel of these that was or will be told what fires, that somebody knows of it: once, until the end
   * of its group was told.
   */
  addAcknowledgement(notification: Notification, channels: readonly string[], nowMs: number): Promise<void>;
  /**
   * Takes what is due, at most one for each channel of `channels`, oldest first; of one group only the first that is not
   * settled. Nothing where the fence does not hold any more.
   */
  claim(fence: Fence, channels: readonly string[], nowMs: number): Promise<readonly OutboxEntry[]>;
  /** What somebody had in hand when they died is due again; `inHand` is what the caller is sending at this moment. */
  reclaim(fence: Fence, inHand: readonly number[]): Promise<void>;
  /** Delivered; told again at `tellAgainAtMs`, null: done. Never touches what was taken from this holder. */
  delivered(entry: OutboxEntry, fence: Fence, nowMs: number, tellAgainAtMs: number | null): Promise<void>;
  failed(
    entry: OutboxEntry,
    fence: Fence,
    nowMs: number,
    problem: string,
    next: { readonly state: 'pending' | 'standing'; readonly atMs: number } | { readonly state: 'dead' },
  ): Promise<void>;
  /** Newest first. */
  list(states: readonly OutboxState[], limit: number): Promise<readonly OutboxEntry[]>;
  counts(): Promise<Readonly<Record<OutboxState, number>>>;
  /** Gives up what waits for channels that are not among these: nobody would ever send it. */
  retire(fence: Fence, channels: readonly string[]): Promise<void>;
  /** Since when something is due for one of these channels and not sent, ms since 1970; null: nothing is due. */
  dueSinceMs(channels: readonly string[], nowMs: number): Promise<number | null>;
  /** A dead one is tried anew. @returns false: there is no dead one of this number. */
  resend(seq: number, nowMs: number): Promise<boolean>;
  /** @returns false: there is no dead or pending one of this number. */
  remove(seq: number): Promise<boolean>;
  health(): Promise<readonly ChannelHealth[]>;
  /** Also for tests that people ask for. */
  noteHealth(channel: string, problem: string | null, nowMs: number): Promise<void>;
}

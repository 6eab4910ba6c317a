import type { Notification } from '../notification.js';
import type { ChannelSettings } from './channel-settings.js';
import type { Delivery } from './delivery.js';
import type { OutgoingRules } from './outgoing-policy.js';
import type { Resolve } from './resolve-allowed.js';

/** What sending takes besides the notification. */
export interface SendDeps {
  readonly now: () => number;
  readonly rules: OutgoingRules;
  readonly publicUrl: string | null;
  readonly resolve?: Resolve;
  readonly connectWithinMs?: number;
  readonly answerWithinMs?: number;
}

/** A way to tell people. */
export interface Channel {
  readonly settings: ChannelSettings;
  /** Tells one notification once. Never throws; a problem it names holds no secret. */
  send(notification: Notification): Promise<Delivery>;
  /** Does it take that somebody has acknowledged what it was told? */
  readonly takesAcknowledgements: boolean;
  /** What fires must be told again after this, ms; null: once is enough. */
  readonly refreshEveryMs: number | null;
  /** What a test sends, in this order: a receiver that opens incidents is told to close its own. */
  readonly testStatuses: readonly ('firing' | 'resolved')[];
}

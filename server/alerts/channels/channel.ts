import type { Notification } from '../notification.js';
import type { ChannelSettings } from './channel-settings.js';
import type { OutgoingRules, Resolve } from './outgoing-policy.js';
/** What came of one try to hand a message over. */
export type Delivery =
  | { readonly ok: true }
  | {
      readonly ok: false;
      /**
       * `passing`: tried again until it is too old. `refused`: the receiver has understood and does not want it, or the
       * settings are wrong; tried a few times more, as a deploy over there may be the reason.
       */
      readonly kind: 'passing' | 'refused';
      /** For a person; holds no secret. */
      readonly problem: string;
      /** The receiver asked to be left alone for this long; null: it did not say. */
      readonly retryAfterMs: number | null;
    };

export function passing(problem: string, retryAfterMs: number | null = null): Delivery {
  return { ok: false, kind: 'passing', problem, retryAfterMs };
}

export function refused(problem: string): Delivery {
  return { ok: false, kind: 'refused', problem, retryAfterMs: null };
}

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

import type { Delivery } from './channels/delivery.js';

const FIRST_DELAY_MS = 2_000;
const MAX_DELAY_MS = 15 * 60_000;
/** Tells the news of the day, not of the week. */
const MAX_AGE_MS = 24 * 3_600_000;
const MAX_TRIES = 120;
/** A receiver that says no may be in the middle of a deploy; it is asked this often, over about a minute and a half. */
const MAX_REFUSALS = 6;

export type RetryPlan =
  | { readonly kind: 'again'; readonly atMs: number }
  | { readonly kind: 'dead'; readonly reason: string };

/**
 * What becomes of a message that could not be delivered: tried again after 2 s, 4 s, 8 s … up to 15 min, each time spread
 * over half to the whole of it so that many do not come at once; not before the receiver's own Retry-After.
 * @param tries so far, this one included.
 * @param random 0 ≤ x < 1.
 */
export function planRetry(
  failure: Extract<Delivery, { ok: false }>,
  { tries, createdAtMs }: { readonly tries: number; readonly createdAtMs: number },
  nowMs: number,
  random: number,
): RetryPlan {
  if (failure.kind === 'refused' && tries >= MAX_REFUSALS)
    return { kind: 'dead', reason: `refused ${tries} times` };
  if (tries >= MAX_TRIES) return { kind: 'dead', reason: `failed ${tries} times` };
  const backoffMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(30, tries - 1));
  const delayMs = Math.max(backoffMs * (0.5 + random / 2), failure.retryAfterMs ?? 0);
  const atMs = Math.round(nowMs + delayMs);
  if (atMs - createdAtMs >= MAX_AGE_MS) return { kind: 'dead', reason: 'not delivered within 24 h' };
  return { kind: 'again', atMs };
}

import type { Alert } from '../model/alert.js';

/** What one tick did to one alert. `dropped`: it was pending, and never fired. */
export interface Transition {
  readonly kind: 'pending' | 'firing' | 'resolved' | 'dropped';
  readonly alert: Alert;
}

/** Firings further back say nothing about flapping now. */
export const FLAP_WINDOW_MS = 3_600_000;
/** So many firings in the window are not flapping yet. */
const CALM_FIRINGS = 2;
const MAX_KEEP_MS = 30 * 60_000;
/** What a rule that resolves at once gets when it flaps. */
const MIN_FLAP_KEEP_MS = 15_000;

/**
 * How long an alert must be over before it is resolved: what its rule says, doubled for every firing beyond the second
 * in the last hour, to at most half an hour. One that flaps becomes one long alert and not twenty messages.
 * @param firings when it fired before and this time, in any order.
 */
export function dampedKeepMs(keepFiringMs: number, firings: readonly number[], nowMs: number): number {
  const lately = firings.filter((atMs) => atMs > nowMs - FLAP_WINDOW_MS).length;
  if (lately <= CALM_FIRINGS) return keepFiringMs;
  const doubled = Math.max(keepFiringMs, MIN_FLAP_KEEP_MS) * 2 ** (lately - CALM_FIRINGS);
  return Math.max(keepFiringMs, Math.min(MAX_KEEP_MS, doubled));
}

/**
 * How much longer than promised a drill waits: 1 where it has the machine for itself. Tests that share two cores with
 * others give more, so that what is checked is the behaviour and not the neighbour.
 */
export const WAIT_FACTOR = Math.max(1, Number(process.env.SPILLWAY_DRILL_WAIT_FACTOR) || 1);

/**
 * Waits until `condition` holds, asking every `everyMs`.
 * @param withinMs as promised: it may take WAIT_FACTOR times as long
 * @returns what it last said: false when the time has passed.
 */
export function waitFor(
  condition: () => boolean | Promise<boolean>,
  withinMs: number,
  everyMs = 100,
): Promise<boolean> {
  return waitUntil(condition, Date.now() + withinMs * WAIT_FACTOR, everyMs);
}

/** The same until a moment, whatever the machine. */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  latestAtMs: number,
  everyMs = 100,
): Promise<boolean> {
  for (;;) {
    if (await condition()) return true;
    if (Date.now() >= latestAtMs) return false;
    await sleep(everyMs);
  }
}

export function sleep(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}

/** Who has waited for a while can wait a little longer for the next look: most looks ask a console, which costs it and us. */
const LOOK_AGAIN_MS = { least: 25, most: 100, ofWaitedRatio: 0.05 };

/**
 * Waits until `condition` returns something truthy and returns that; polls every `everyMs`, or the more rarely the longer
 * it waits.
 * @throws Error with `what` and the last value or error when `withinMs` have passed.
 */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  { withinMs = 40_000, everyMs }: { withinMs?: number; everyMs?: number } = {},
): Promise<NonNullable<Exclude<T, false | '' | 0>>> {
  const fromMs = Date.now();
  const { least, most, ofWaitedRatio } = LOOK_AGAIN_MS;
  let last: unknown;
  while (Date.now() - fromMs < withinMs) {
    try {
      const value = await condition();
      if (value) return value as NonNullable<Exclude<T, false | '' | 0>>;
      last = value;
    } catch (error) {
      last = error;
    }
    const waitedMs = Date.now() - fromMs;
    const pauseMs = everyMs ?? Math.min(most, Math.max(least, waitedMs * ofWaitedRatio));
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  throw new Error(
    `not within ${withinMs} ms: ${what}; last: ${last instanceof Error ? last.message : JSON.stringify(last)}`,
  );
}

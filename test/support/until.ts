/**
 * Waits until `condition` returns something truthy and returns that; polls every `everyMs`.
 * @throws Error with `what` and the last value or error when `withinMs` have passed.
 */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  { withinMs = 40_000, everyMs = 25 }: { withinMs?: number; everyMs?: number } = {},
): Promise<NonNullable<Exclude<T, false | '' | 0>>> {
  const deadline = Date.now() + withinMs;
  let last: unknown;
  while (Date.now() < deadline) {
    try {
      const value = await condition();
      if (value) return value as NonNullable<Exclude<T, false | '' | 0>>;
      last = value;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  throw new Error(
    `not within ${withinMs} ms: ${what}; last: ${last instanceof Error ? last.message : JSON.stringify(last)}`,
  );
}

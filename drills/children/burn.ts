/** Works without letting go of the event loop, as parsing something large does. */
export function burn(durationMs: number): void {
  const untilMs = performance.now() + durationMs;
  while (performance.now() < untilMs) Math.sqrt(untilMs);
}

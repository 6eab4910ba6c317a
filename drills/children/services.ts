/** An analytics client as many libraries have one: it sends when a batch is full or old, and only then is a request done. */
interface BatchingClient {
  /** Resolves when the batch that holds `item` was sent. */
  send(item: unknown): Promise<void>;
  /** Sends what there is, as on shutdown. */
  flush(): void;
}

/**
 * With fewer requests in flight than `size` no batch ever fills, and each request takes `waitMs`: concurrency 5 then
 * completes 5 jobs in 10 s, however fast the work is (incidents.md, 1).
 */
export function createBatchingClient({ size, waitMs }: { size: number; waitMs: number }): BatchingClient {
  let batch: (() => void)[] = [];
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const sent = batch;
    batch = [];
    for (const done of sent) done();
  };
  return {
    flush,
    send: () =>
      new Promise((done) => {
        batch.push(done);
        if (batch.length >= size) flush();
        else timer ??= setTimeout(flush, waitMs);
      }),
  };
}

/** A service that everybody in a process calls, and that answers one call after the other. */
interface Downstream {
  /** Resolves when the call was answered; those before it come first. */
  call(): Promise<void>;
}

/** @param answerMs what each answer takes, so that 1000 / answerMs calls a second is its limit. */
export function createDownstream(answerMs: number): Downstream {
  const waiting: (() => void)[] = [];
  let timer: NodeJS.Timeout | undefined;
  let doneAtMs = 0;
  const answer = (): void => {
    // Timers come late in a busy process; what was due by now is answered, so that the limit holds.
    for (const nowMs = performance.now(); waiting.length > 0 && doneAtMs <= nowMs; doneAtMs += answerMs)
      waiting.shift()?.();
    timer = waiting.length > 0 ? setTimeout(answer, Math.max(1, doneAtMs - performance.now())) : undefined;
  };
  return {
    call: () =>
      new Promise((done) => {
        waiting.push(done);
        if (timer) return;
        doneAtMs = performance.now() + answerMs;
        timer = setTimeout(answer, answerMs);
      }),
  };
}

/** Works without letting go of the event loop, as parsing something large does. */
export function burn(durationMs: number): void {
  const untilMs = performance.now() + durationMs;
  while (performance.now() < untilMs) Math.sqrt(untilMs);
}

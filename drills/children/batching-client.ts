/** An analytics client as many libraries have one: it sends when a batch is full or old, and only then is a request done. */
export interface BatchingClient {
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

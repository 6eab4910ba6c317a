import type { Redis } from 'ioredis';

/** All that Redis holds of a queue's unfinished jobs, byte by byte. */
export interface QueuePicture {
  readonly wait: readonly string[];
  readonly paused: readonly string[];
  readonly prioritized: readonly string[];
  readonly delayed: readonly string[];
  /** By id: field and value in Base64. */
  readonly jobs: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly counter: string | null;
  readonly priorityCounter: string | null;
}

export async function pictureOf(client: Redis, id: string): Promise<QueuePicture> {
  const [wait, paused, prioritized, delayed, counter, priorityCounter] = await Promise.all([
    client.lrangeBuffer(`${id}:wait`, 0, -1),
    client.lrangeBuffer(`${id}:paused`, 0, -1),
    client.zrangeBuffer(`${id}:prioritized`, '0', '-1', 'WITHSCORES'),
    client.zrangeBuffer(`${id}:delayed`, '0', '-1', 'WITHSCORES'),
    client.get(`${id}:id`),
    client.get(`${id}:pc`),
  ]);
  const ids = [
    ...wait,
    ...paused,
    ...prioritized.filter((_, i) => i % 2 === 0),
    ...delayed.filter((_, i) => i % 2 === 0),
  ];
  const jobs: Record<string, Record<string, string>> = {};
  for (const jobId of ids) {
    const key = Buffer.concat([Buffer.from(`${id}:`), jobId]);
    const [names, values] = await Promise.all([client.hkeysBuffer(key), client.hvalsBuffer(key)]);
    if (names.length === 0) throw new Error(`${key.toString()} is in a list and has no fields`);
    const fields = Object.fromEntries(
      names.map((name, i) => [name.toString('base64'), values[i]?.toString('base64') ?? '']),
    );
    jobs[jobId.toString('base64')] = fields;
  }
  const texts = (list: readonly Buffer[]): string[] => list.map((entry) => entry.toString('base64'));
  return {
    wait: texts(wait),
    paused: texts(paused),
    prioritized: texts(prioritized),
    delayed: texts(delayed),
    jobs,
    counter,
    priorityCounter,
  };
}

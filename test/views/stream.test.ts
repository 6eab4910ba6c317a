import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { type RunningConsole, startConsole } from '../support/console.js';
import { until } from '../support/until.js';

/** Reads a stream until it ends; what came so far is in `text`. */
async function listen(
  url: string,
): Promise<{ readonly text: () => string; readonly end: Promise<void>; readonly response: Response }> {
  const response = await fetch(url, { headers: { accept: 'text/event-stream' } });
  let text = '';
  const read = async (): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) text += decoder.decode(chunk, { stream: true });
  };
  return { text: () => text, end: read(), response };
}

describe('live streams of the running console', () => {
  let redis: OwnRedis;
  let console_: RunningConsole;

  beforeAll(async () => {
    redis = await startRedis({ maxmemoryBytes: 64 * 1024 * 1024 });
    console_ = await startConsole({ redisUrl: redis.url });
  });
  afterAll(async () => {
    await console_.stop();
    await redis.stop();
  });

  it('automation gets an overview with every tick', async () => {
    const stream = await listen(`${console_.url}/api/v1/live`);
    expect(stream.response.headers.get('content-type')).toContain('text/event-stream');
    await until('three overviews', () => stream.text().split('event: overview').length > 3);
    const overviews = [...stream.text().matchAll(/^data: (.*)\n\n/gm)].map((found) =>
      JSON.parse(found[1] ?? ''),
    );
    expect(overviews.at(-1)).toMatchObject({ instances: [{ name: 'default', maxBytes: 64 * 1024 * 1024 }] });
    expect(overviews.at(-1).at > overviews[0].at).toBe(true);
  });

  it('an unknown view is refused and not streamed', async () => {
    expect((await console_.ask('GET', '/live?view=nothing')).status).toBe(404);
    expect((await console_.ask('GET', '/live?view=queue&instance=default&queue=gone')).status).toBe(404);
  });

  it('a console that is asked to stop ends them and is gone within two seconds', async () => {
    const streams = await Promise.all([
      listen(`${console_.url}/live?view=overview`),
      listen(`${console_.url}/live?view=instance&instance=default`),
      listen(`${console_.url}/api/v1/live`),
    ]);
    await until('all have something', () => streams.every((stream) => stream.text().length > 0));
    const started = Date.now();
    const code = await console_.signal('SIGTERM');
    expect(Date.now() - started).toBeLessThan(2_000);
    expect(code).toBe(0);
    await Promise.all(streams.map((stream) => stream.end.catch(() => undefined)));
  });
});

import { describe, expect, test } from 'vitest';
import { upChannel } from '../../agent/protocol.js';
import { startHalfOpenWay } from '../../drills/half-open-way.js';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import type { Endpoint } from '../../server/model/instance-config.js';
import { AgentChannel } from '../../server/redis/agent-channel.js';
import { connect } from '../../server/redis/connect.js';
import { startCluster } from '../support/cluster.js';
import { until } from '../support/until.js';
import { anInstance } from '../support/watching.js';

interface Listening {
  readonly channel: AgentChannel;
  readonly heard: readonly string[];
  /** Status by status, as the timeline is told. */
  readonly told: readonly string[];
  /** Lets the channel's clock jump. */
  skip(ms: number): void;
}

interface Scene {
  /** @param speakTo where the echos are published, if it is not where the subscriber listen. */
  listening(at: Endpoint | string, self?: string, speakTo?: Endpoint | string): Listening;
  aRedis(): Promise<OwnRedis>;
  endLater(end: () => unknown): void;
}

/** All that a test starts is its own, so that they can wait side by side. */
const it = test.extend<{ readonly scene: Scene }>({
  scene: async ({ task: _task }, use) => {
    const ends: (() => unknown)[] = [];
    await use({
      listening(at, self = 'one', speakTo = at) {
        const publisher = connect(anInstance(speakTo).endpoint, {
          connectionName: 'publisher',
          commandTimeoutMs: 2_000,
        });
        publisher.on('error', () => undefined);
        let aheadMs = 0;
        const channel = new AgentChannel(
          anInstance(at),
          publisher,
          self,
          () => Date.now() + aheadMs,
          (error) => {
            throw error;
          },
        );
        const heard: string[] = [];
        const told: string[] = [];
        channel.onMessage((payload) => heard.push(payload.toString()));
        channel.onChange(({ status }) => told.push(status));
        ends.push(() => {
          channel.stop();
          publisher.disconnect();
        });
        return {
          channel,
          heard,
          told,
          skip: (ms) => {
            aheadMs += ms;
          },
        };
      },
      async aRedis() {
        const redis = await startRedis();
        ends.push(() => redis.stop());
        return redis;
      },
      endLater: (end) => void ends.push(end),
    });
    for (const end of ends.reverse()) await end();
  },
});

async function untilHearing({ channel }: Listening, withinMs = 8_000): Promise<void> {
  await until('the console hears', () => channel.state.status === 'hearing', { withinMs });
}

/** Speaks until it is heard. @returns ms that this took. */
async function untilHeard({ heard }: Listening, redis: OwnRedis, withinMs = 10_000): Promise<number> {
  const startedAtMs = Date.now();
  const from = heard.length;
  await until(
    'an agent is heard',
    async () => {
      await redis.client.publish(upChannel(0, 'agent'), 'beat').catch(() => undefined);
      return heard.length > from;
    },
    { withinMs, everyMs: 25 },
  );
  return Date.now() - startedAtMs;
}

describe.concurrent('the subscriber of the console hear again within 3 s', () => {
  it('after their connection went half open, though Redis itself answers', async ({
    scene: { listening, aRedis, endLater },
  }) => {
    const redis = await aRedis();
    const way = await startHalfOpenWay(redis.port);
    endLater(() => way.close());
    const subscriber = listening(`redis://127.0.0.1:${way.port}`, 'one', redis.url);
    await untilHearing(subscriber);
    way.swallow();
    expect(await untilHeard(subscriber, redis)).toBeLessThan(3_000);
    await untilHearing(subscriber);
    expect(subscriber.told).toEqual(['hearing', 'deaf', 'hearing']);
  });

  it('of the way being whole again, though a fresh connection hung in the middle of its handshake', async ({
    scene: { listening, aRedis, endLater },
  }) => {
    const redis = await aRedis();
    const way = await startHalfOpenWay(redis.port, true);
    endLater(() => way.close());
    const subscriber = listening(`redis://127.0.0.1:${way.port}`, 'one', redis.url);
    await untilHearing(subscriber);
    way.swallow();
    // Deaf, so it has tried a fresh connection, which was accepted and will never be answered.
    await until('it has subscribed anew', () => subscriber.channel.state.resubscribed > 0);
    const atMs = Date.now();
    await until('that has hung for a while', () => Date.now() - atMs > 1_000);
    way.heal();
    expect(await untilHeard(subscriber, redis)).toBeLessThan(3_000);
  });

  it('after their subscription was cut', async ({ scene: { listening, aRedis } }) => {
    const redis = await aRedis();
    const subscriber = listening(redis.url);
    await untilHearing(subscriber);
    await redis.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    expect(await untilHeard(subscriber, redis)).toBeLessThan(3_000);
  });

  it('of a restart of Redis that took so long that they tried seldom', async ({
    scene: { listening, aRedis },
  }) => {
    const redis = await aRedis();
    const subscriber = listening(redis.url);
    await untilHearing(subscriber);
    await redis.kill();
    const atMs = Date.now();
    await until('it is away for a while', () => Date.now() - atMs > 5_000);
    await redis.restart();
    expect(await untilHeard(subscriber, redis)).toBeLessThan(3_000);
    await untilHearing(subscriber, 3_000);
  });

  it('in a Cluster, after the node that they listened to is gone', async ({
    scene: { listening, endLater },
  }) => {
    const cluster = await startCluster();
    endLater(() => cluster.stop());
    for (const node of cluster.nodes)
      await node.client.call('CONFIG', 'SET', 'cluster-require-full-coverage', 'no');
    const nodes = cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port }));
    const subscriber = listening({ kind: 'cluster', nodes, tls: false });
    await untilHearing(subscriber);
    const lists = await Promise.all(cluster.nodes.map((node) => node.client.call('CLIENT', 'LIST')));
    const at = lists.findIndex((list) => / sub=0 psub=1 /.test(String(list)));
    const [gone, other] = [cluster.nodes[at], cluster.nodes[(at + 1) % 3]];
    if (!gone || !other) throw new Error('no node has a subscriber');
    await gone.kill();
    expect(await untilHeard(subscriber, other)).toBeLessThan(3_000);
    await untilHearing(subscriber);
  });
});

describe.concurrent('where Redis does not permit it', () => {
  const refusals = [
    ['to subscribe', '-psubscribe', '+psubscribe'],
    ['to publish', '-publish', '+publish'],
    ['the channels', 'resetchannels', 'allchannels'],
  ] as const;
  it.for(refusals)(
    '%s, it says so, asks seldom, and hears once it may',
    async ([, refuse, permit], { scene: { listening, aRedis } }) => {
      const redis = await aRedis();
      const subscriber = listening(redis.url);
      await untilHearing(subscriber);
      await redis.client.call('ACL', 'SETUSER', 'default', refuse);
      await redis.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await until('off', () => subscriber.channel.state.status === 'off');
      expect(subscriber.channel.state.problem).toMatch(/NOPERM.*allow \+psubscribe \+publish &spillway:\*/);
      const { resubscribed } = subscriber.channel.state;
      await redis.client.call('ACL', 'SETUSER', 'default', permit);
      const atMs = Date.now();
      await until('some seconds are over', () => Date.now() - atMs > 2_500);
      expect(subscriber.channel.state).toMatchObject({ status: 'off', resubscribed });
      subscriber.skip(31_000);
      await untilHearing(subscriber, 4_000);
      expect(subscriber.told).not.toContain('deaf');
    },
  );
});

describe.concurrent('subscriber', () => {
  it('of two consoles hear the same agents, and each other’s echos trouble neither', async ({
    scene: { listening, aRedis },
  }) => {
    const redis = await aRedis();
    const [first, second] = [listening(redis.url, 'one'), listening(redis.url, 'two')];
    await Promise.all([untilHearing(first), untilHearing(second)]);
    await untilHeard(first, redis);
    await until('the other heard it too', () => second.heard.includes('beat'));
    expect([...first.told, ...second.told]).toEqual(['hearing', 'hearing']);
  });

  it('hear the agents of their own database only', async ({ scene: { listening, aRedis } }) => {
    const redis = await aRedis();
    const subscriber = listening(`${redis.url}/3`);
    await untilHearing(subscriber);
    await redis.client.publish(upChannel(0, 'agent'), 'of another');
    await redis.client.publish(upChannel(3, 'agent'), 'mine');
    await until('its own is heard', () => subscriber.heard.length > 0);
    expect(subscriber.heard).toEqual(['mine']);
  });

  it('leave no connection behind when they are stopped', async ({ scene: { listening, aRedis } }) => {
    const redis = await aRedis();
    const subscriber = listening(redis.url);
    await untilHearing(subscriber);
    subscriber.channel.stop();
    await until(
      'no listener',
      async () => !String(await redis.client.call('CLIENT', 'LIST')).includes('hear'),
    );
  });
});

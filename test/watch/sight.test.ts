import { randomUUID } from 'node:crypto';
import { Queue } from 'bullmq';
import { describe, expect, test } from 'vitest';
import { startHalfOpenWay } from '../../drills/half-open-way.js';
import { type OwnRedis, type OwnRedisOptions, startRedis } from '../../drills/own-redis.js';
import { createWatch } from '../../server/create-watch.js';
import { DEFAULT_THRESHOLDS } from '../../server/model/finding.js';
import type { InstanceConfig } from '../../server/model/instance-config.js';
import type { Watch } from '../../server/watch/watch.js';
import { wordsOf } from '../support/few-words.js';
import { until } from '../support/until.js';
import { anInstance, untilQueue, untilSnapshot, watching } from '../support/watching.js';

interface Sight {
  aRedis(options?: OwnRedisOptions): Promise<OwnRedis>;
  eyesOn(...instances: readonly InstanceConfig[]): ReturnType<typeof watching>;
  endLater(end: () => Promise<unknown>): void;
}

/** Each test has what it looks at for itself, so that they can wait side by side. */
const it = test.extend<{ readonly sight: Sight }>({
  sight: async ({ task: _task }, use) => {
    const ends: (() => Promise<unknown>)[] = [];
    await use({
      async aRedis(options) {
        const redis = await startRedis(options);
        ends.push(() => redis.stop());
        return redis;
      },
      eyesOn(...instances) {
        const eyes = watching(...instances);
        ends.push(() => eyes.watch.stop());
        return eyes;
      },
      endLater: (end) => void ends.push(end),
    });
    for (const end of ends.reverse()) await end();
  },
});
function codes(watch: Watch): readonly string[] {
  return watch.findings().map((finding) => finding.code);
}

describe.concurrent('what the console says when it can not see', () => {
  it('marks a frozen Redis as stale within 5 s, while another stays live', async ({
    sight: { aRedis, eyesOn },
  }) => {
    const frozen = await aRedis();
    const healthy = await aRedis();
    const { watch } = eyesOn(anInstance(frozen.url), anInstance(healthy.url, { name: 'other' }));
    await untilSnapshot(watch, 'live', (snapshot) => snapshot.link.status === 'live');
    await untilSnapshot(watch, 'live', (snapshot) => snapshot.link.status === 'live', { instance: 'other' });
    frozen.freeze();
    await untilSnapshot(watch, 'not live', (snapshot) => snapshot.link.status !== 'live', {
      withinMs: 5_000,
    });
    expect(watch.snapshot('other')?.link.status).toBe('live');
    await until('a finding says so', () =>
      codes(watch).some((code) => code === 'console.stale' || code === 'redis.unreachable'),
    );
    frozen.thaw();
    await untilSnapshot(watch, 'live again', (snapshot) => snapshot.link.status === 'live');
  });

  it('says in one line that Redis is down, keeps trying, and sees it again after its restart', async ({
    sight: { aRedis, eyesOn },
  }) => {
    const redis = await aRedis();
    const { watch, lines } = eyesOn(anInstance(redis.url));
    await untilSnapshot(watch, 'live', (snapshot) => snapshot.link.status === 'live');
    await redis.kill();
    await untilSnapshot(watch, 'unreachable', (snapshot) => snapshot.link.status === 'unreachable');
    expect(watch.snapshot('default')?.link.problem).toContain('refuses connections');
    await until('the finding', () => codes(watch).includes('redis.unreachable'));
    await redis.restart();
    await untilSnapshot(watch, 'live again', (snapshot) => snapshot.link.status === 'live');
    expect(codes(watch)).not.toContain('redis.unreachable');
    expect(lines.filter((line) => line.includes('keeps trying'))).toHaveLength(1);
  });

  it('sees again within 3.5 s of the network being whole, though a fresh connection hung in its handshake', async ({
    sight: { aRedis, eyesOn, endLater },
  }) => {
    const redis = await aRedis();
    const way = await startHalfOpenWay(redis.port, true);
    endLater(() => way.close());
    const { watch } = eyesOn(anInstance(`redis://127.0.0.1:${way.port}`));
    await untilSnapshot(watch, 'live', (snapshot) => snapshot.link.status === 'live');
    way.swallow();
    // It has tried a fresh connection by then, which was accepted and will never be answered.
    await untilSnapshot(watch, 'unreachable', (snapshot) => snapshot.link.status === 'unreachable');
    const healedAtMs = Date.now();
    way.heal();
    await untilSnapshot(watch, 'live again', (snapshot) => snapshot.link.status === 'live');
    expect(Date.now() - healedAtMs).toBeLessThan(3_500);
  });

  it('says that jobs were lost where Redis comes back empty or is flushed, and not where one queue is removed', async ({
    sight: { aRedis, eyesOn },
  }) => {
    const redis = await aRedis();
    const fill = async (name: string, jobs: number): Promise<void> => {
      const queue = new Queue(name, { connection: { port: redis.port } });
      queue.on('error', () => undefined);
      await queue.addBulk(Array.from({ length: jobs }, () => ({ name: 'send', data: {} })));
      await queue.close();
    };
    for (const name of ['mail', 'web', 'sms']) await fill(name, 5);
    const { watch, events } = eyesOn(anInstance(redis.url));
    for (const name of ['mail', 'web', 'sms'])
      await untilQueue(watch, `bull:${name}`, (state) => state.counts.waiting === 5);
    const told = () => watch.findings().find(({ code }) => code === 'redis.data-lost');
    const sms = new Queue('sms', { connection: { port: redis.port } });
    await sms.obliterate({ force: true });
    await sms.close();
    await untilSnapshot(watch, 'one queue removed', ({ queues }) => queues.length === 2);
    expect(told()).toBeUndefined();
    await redis.restart();
    const lost = await until('the finding', () => told()?.queues?.length === 2 && told());
    expect(lost).toMatchObject({ severity: 'critical', queue: null, queues: ['bull:mail', 'bull:web'] });
    expect(wordsOf(lost)).toMatch(
      /another process than before.*2 of 2 queues came back empty.*at least 10 jobs missing \(bull:mail 5, bull:web 5\)/,
    );
    await until(
      'the timeline has it once',
      () => events.filter(({ kind }) => kind === 'redis.data-lost').length === 1,
    );
    await fill('again', 7);
    await untilQueue(watch, 'bull:again', (state) => state.counts.waiting === 7);
    await redis.client.flushall();
    await until('the flush', () => /was flushed.*at least 7 jobs missing/.test(told()?.detail ?? ''));
  });

  it('reports a Redis that loads its data as that, with how far it is', async ({
    sight: { aRedis, eyesOn },
  }) => {
    const slow = ['--key-load-delay', '8000', '--loading-process-events-interval-bytes', '1024'];
    const redis = await aRedis({ args: slow });
    const pad = 'x'.repeat(200);
    await redis.client.mset(Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`key:${i}`, pad + i])));
    const { watch } = eyesOn(anInstance(redis.url));
    await untilSnapshot(watch, 'live', (snapshot) => snapshot.link.status === 'live');
    await redis.client.save();
    const restarted = redis.restart();
    const { link } = await untilSnapshot(watch, 'loading', (snapshot) => Boolean(snapshot.link.loading));
    expect(link.problem).toMatch(/is loading its data from disk: \d+% are read, about \d+ s are left$/);
    await until('a finding', () =>
      watch.findings().some(({ headline }) => headline === 'Redis is loading its data'),
    );
    await restarted;
    await untilSnapshot(watch, 'live again', (snapshot) => snapshot.link.status === 'live');
    expect(watch.snapshot('default')?.link.loading).toBeNull();
    expect(codes(watch)).not.toContain('redis.data-lost');
  });

  it('names a Redis that was never there, instead of failing', async ({ sight: { eyesOn } }) => {
    const { watch } = eyesOn(anInstance('redis://127.0.0.1:1'));
    const snapshot = await untilSnapshot(
      watch,
      'unreachable',
      (found) => found.link.status === 'unreachable',
    );
    expect(snapshot.link.problem).toBe(
      'Redis at 127.0.0.1:1 refuses connections: is Redis running there, and is the port right?',
    );
  });

  it('asks for the password in words, and never shows a wrong one', async ({ sight: { aRedis, eyesOn } }) => {
    const redis = await aRedis({ args: ['--requirepass', 'right-horse'] });
    const without = eyesOn(anInstance(redis.url)).watch;
    const wrong = eyesOn(anInstance(redis.url.replace('//', '//:wrong-horse@')));
    const asked = await untilSnapshot(
      without,
      'unreachable',
      (snapshot) => snapshot.link.status === 'unreachable',
    );
    expect(asked.link.problem).toContain('asks for a password');
    const refused = await untilSnapshot(
      wrong.watch,
      'unreachable',
      (snapshot) => snapshot.link.status === 'unreachable',
    );
    expect(refused.link.problem).toMatch(/does not accept this user name and password/);
    expect(JSON.stringify([refused, wrong.lines])).not.toContain('wrong-horse');
    const right = eyesOn(anInstance(redis.url.replace('//', '//:right-horse@'))).watch;
    await untilSnapshot(right, 'live', (snapshot) => snapshot.link.status === 'live');
  });

  it('sees queues with a user that may not use CONFIG, CLIENT or any write, and reports what was refused', async ({
    sight: { aRedis, eyesOn, endLater },
  }) => {
    const redis = await aRedis();
    const queue = new Queue('mail', { connection: { port: redis.port } });
    endLater(() => queue.close());
    await queue.add('send', {});
    await redis.client.call(
      'ACL',
      'SETUSER',
      'watcher',
      'on',
      '>secret',
      '~*',
      '&*',
      '+@read',
      '+@connection',
      '+info',
      '+scan',
      '+dbsize',
      '+memory|usage',
      '-client|list',
      '-config',
    );
    const { watch } = eyesOn(anInstance(`redis://watcher:secret@127.0.0.1:${redis.port}`));
    await untilQueue(watch, 'bull:mail', (state) => state.counts.waiting === 1);
    const snapshot = watch.snapshot('default');
    expect(snapshot?.link.status).toBe('live');
    expect(snapshot?.capabilities).toMatchObject({
      canSetConfig: false,
      canReadConfig: false,
      canListClients: false,
      canWrite: false,
      canMeasureMemory: true,
    });
    expect(snapshot?.capabilities?.refusals.canWrite).toMatch(/NOPERM|permission/i);
    expect(snapshot?.queues[0]?.workers).toBeNull();
    // A value that is refused is not known, and none is 0.
    await redis.client.call('ACL', 'SETUSER', 'watcher', '-llen');
    const blind = await untilSnapshot(watch, 'not known', ({ unread }) => unread.queues.length === 1);
    expect(blind.queues).toEqual([]);
    expect(blind.unread.queues[0]).toMatchObject({
      id: 'bull:mail',
      command: 'llen',
      problem: "LLEN is refused: Redis does not permit it to the console's user (ACL)",
      last: { counts: { waiting: 1 } },
    });
    await until('the finding names it', () =>
      watch.findings().some(({ code, cause }) => code === 'redis.unread' && /LLEN is refused/.test(cause)),
    );
    await redis.client.call('ACL', 'SETUSER', 'watcher', '+llen');
    await untilQueue(watch, 'bull:mail', (state) => state.counts.waiting === 1);
  });

  it('reports a read-only replica', async ({ sight: { aRedis, eyesOn } }) => {
    const master = await aRedis();
    const replica = await aRedis({ args: ['--replicaof', '127.0.0.1', String(master.port)] });
    const { watch } = eyesOn(anInstance(replica.url));
    await untilSnapshot(watch, 'read-only', (snapshot) => snapshot.nodes[0]?.isReadOnly === true);
    await until('the finding', () => codes(watch).includes('redis.read-only'));
  });
});

describe('to read a Snapshot', () => {
  it('shows at the moment of asking that it is too old, and changes and records nothing', async ({
    sight: { aRedis, endLater },
  }) => {
    const redis = await aRedis();
    const recorded: string[] = [];
    let aheadMs = 0;
    const watch = createWatch({
      instances: [anInstance(redis.url)],
      thresholds: DEFAULT_THRESHOLDS,
      now: () => Date.now() + aheadMs,
      log: { info: (line) => void recorded.push(line), warn: (line) => void recorded.push(line) },
      random: Math.random,
      slowThresholdMs: () => null,
      newId: randomUUID,
      recordEvent: ({ text }) => void recorded.push(text),
    });
    endLater(() => watch.stop());
    await untilSnapshot(watch, 'live', (snapshot) => snapshot.link.status === 'live');
    const before = watch.snapshot('default');
    const recordedBefore = recorded.length;
    // No tick comes between these.
    aheadMs = 60_000;
    const late = watch.snapshot('default');
    expect(late?.link).toMatchObject({ status: 'stale', lastReadAtMs: before?.link.lastReadAtMs });
    expect(watch.snapshots()[0]?.link.status).toBe('stale');
    aheadMs = 0;
    expect(watch.snapshot('default')).toBe(before);
    expect(recorded).toHaveLength(recordedBefore);
  });
});

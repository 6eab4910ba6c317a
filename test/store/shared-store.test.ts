import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createClient } from '@libsql/client';
import { Queue } from 'bullmq';
import { drizzle } from 'drizzle-orm/libsql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { ConfigError, loadConfig } from '../../server/config/config.js';
import { maskedConfig } from '../../server/config/masked-config.js';
import { openStore, type Store } from '../../server/open-store.js';
import { packagePath } from '../../server/process/package-path.js';
import { CommandRelay } from '../../server/replay/command-relay.js';
import { createIdempotencyStore } from '../../server/store/idempotency.js';
import { type RunningConsole, startConsole } from '../support/console.js';
import { DEEP_RULE } from '../support/deep-rule.js';
import { aNotification } from '../support/notifications.js';
import { type Receiver, startReceiver } from '../support/receiver.js';
import { until } from '../support/until.js';

const TOKEN = 'eyJhbGciOi.the-token-of-the-store.x1';

// What is described apart waits side by side; of each one after the other.
const it = test.sequential;

let redis: OwnRedis;
let root: string;
beforeAll(async () => {
  redis = await startRedis({ maxmemoryBytes: 64 * 1024 * 1024 });
  root = await mkdtemp(join(tmpdir(), 'spillway-shared-'));
});
afterAll(async () => {
  await redis?.stop();
  await rm(root, { recursive: true, force: true });
});

const configFile = async (name: string, content: unknown): Promise<string> => {
  const path = join(root, name);
  await writeFile(path, JSON.stringify(content));
  return path;
};

it('consoles that open a new store at the same moment all keep their records in it', async () => {
  const stores = await Promise.all([1, 2, 3].map(() => openStore(join(root, 'at-once'))));
  try {
    expect(stores.map(({ problem }) => problem)).toEqual([null, null, null]);
    await Promise.all(
      stores.map((store, i) => store.outbox.add(aNotification({ id: `n-${i}` }), ['hook'], Date.now())),
    );
    for (const store of stores) expect((await store.outbox.counts()).pending).toBe(3);
  } finally {
    for (const store of stores) store.close();
  }
});

describe.concurrent('what goes between consoles through the store', () => {
  const lease = { name: 'alerts', holder: 'leader', isHeld: () => true, otherHolder: null };
  const deskOn = (store: Store, clockMs: number) =>
    new CommandRelay({
      store: store.commands,
      lease,
      now: () => Date.now() + clockMs,
      newId: randomUUID,
      warn: () => undefined,
    });

  it('an order reaches the one that leads however far apart their clocks are; of an asker that is gone it is dropped', async () => {
    const store = await openStore(join(root, 'clocks'));
    await store.leases.take('alerts', 'leader', null);
    const done: string[] = [];
    const leader = deskOn(store, 0);
    try {
      await store.commands.add({ id: 'left', name: 'note', args: ['left behind'] }, Date.now());
      const early = deskOn(store, -3_600_000).send('note', ['an hour behind']);
      leader.start({ note: async (text: string) => done.push(text) });
      await early;
      await deskOn(store, 3_600_000).send('note', ['an hour ahead']);
      expect(done).toEqual(['an hour behind', 'an hour ahead']);
      await until(
        'the one that nobody asks for is dropped',
        async () => (await store.commands.list()).length === 0,
      );
      expect(done).toHaveLength(2);
    } finally {
      await leader.stop();
      store.close();
    }
  });

  it('a claim of a console elsewhere that does nothing any more is given up by the clock of whoever asks', async () => {
    const store = await openStore(join(root, 'claims'));
    const database = drizzle(createClient({ url: pathToFileURL(join(root, 'claims', 'spillway.db')).href }));
    let nowMs = 0;
    const on = (holder: string) =>
      createIdempotencyStore(database, { holder, isGone: () => false, monotonicMs: () => nowMs });
    const ask = async (mayRepeat: boolean) => (await on2.claim('olga', 'k', 'f', Date.now(), mayRepeat)).kind;
    const on2 = on('two');
    try {
      expect((await on('one').claim('olga', 'k', 'f', Date.now(), true)).kind).toBe('new');
      expect(await ask(true)).toBe('under-way');
      nowMs = 9_000;
      expect(await ask(true)).toBe('under-way');
      nowMs = 10_000;
      expect(await ask(false)).toBe('interrupted');
      expect(await ask(true)).toBe('new');
      expect(await ask(true)).toBe('under-way');
      await on2.finish('olga', 'k', { status: 202, body: '{}' });
      expect(await ask(true)).toBe('done');
    } finally {
      store.close();
    }
  });
});

describe.concurrent('two consoles with data directories of their own and one store', () => {
  let receiver: Receiver;
  let queue: Queue;
  const consoles: RunningConsole[] = [];
  beforeAll(async () => {
    receiver = await startReceiver();
    queue = new Queue('mail', { connection: { port: redis.port } });
    await queue.addBulk(Array.from({ length: 10 }, (_, n) => ({ name: 'job', data: { n } })));
    const config = await configFile('shared.yaml', {
      instances: [{ name: 'default', url: redis.url, queues: ['bull:mail'] }],
      store: { url: pathToFileURL(join(root, 'shared.db')).href },
      alerts: {
        channels: [{ name: 'hook', type: 'webhook', url: `${receiver.url}/hook` }],
        groupIntervalSeconds: 1,
        rules: [DEEP_RULE],
      },
    });
    for (const name of ['one', 'two'])
      consoles.push(
        await startConsole({
          dataDirectory: join(root, name),
          args: ['--config', config, '--log-level', 'warn'],
        }),
      );
  });
  afterAll(async () => {
    for (const one of consoles) await one.stop();
    await queue?.close();
    await receiver?.stop();
  });
  const holders = async (): Promise<readonly RunningConsole[]> => {
    const held = await Promise.all(
      consoles.map(async (one) =>
        (await one.ask('GET', '/api/v1/channels').catch(() => null))?.body?.isSender ? [one] : [],
      ),
    );
    return held.flat();
  };
  const theHolder = () =>
    until(
      'one of them sends',
      async () => {
        const [one, ...more] = await holders();
        return one && more.length === 0 ? one : null;
      },
      { withinMs: 60_000 },
    );
  const told = (status: string) =>
    receiver.received.filter(({ path, body }) => path === '/hook' && JSON.parse(body).status === status);

  it('one holds the lease; alerts, silences, acknowledgements and the timeline of either are seen in both', async () => {
    const holder = await theHolder();
    const other = consoles.find((one) => one !== holder);
    if (!other) throw new Error('one must not hold it');
    const alert = await until(
      'the other shows the alert that the holder found',
      async () => {
        const { body } = await other.ask('GET', '/api/v1/alerts?state=firing');
        return body.alerts.find((one: { rule: { id: string } }) => one.rule.id === 'deep') ?? null;
      },
      { withinMs: 60_000 },
    );
    await until('it is reported once', () => told('firing').length === 1, { withinMs: 60_000 });
    const acknowledged = await other.ask('POST', `/api/v1/alerts/${alert.id}/acknowledge`, {
      reason: 'mine',
    });
    expect(acknowledged.status).toBe(200);
    const silenced = await other.ask('POST', '/api/v1/silences', {
      matchers: { queue: 'bull:other' },
      durationSeconds: 600,
      reason: 'known',
    });
    expect(silenced.status, silenced.text).toBeLessThan(300);
    await until(
      'the holder knows of both',
      async () => {
        const { body } = await holder.ask('GET', '/api/v1/alerts?state=firing');
        const silences = (await holder.ask('GET', '/api/v1/silences')).body.silences;
        const seen = body.alerts.find((one: { id: string }) => one.id === alert.id);
        return seen?.acknowledged?.reason === 'mine' && silences.length === 1;
      },
      { withinMs: 60_000 },
    );
    for (const one of consoles)
      await until('all of it stands on the timeline of either', async () => {
        const { body } = await one.ask('GET', '/api/v1/timeline');
        const kinds = body.entries.map(({ kind }: { kind: string }) => kind);
        expect(kinds.filter((kind: string) => kind === 'console.started')).toHaveLength(2);
        expect(kinds).toEqual(
          expect.arrayContaining(['alert.firing', 'alert.acknowledged', 'silence.created']),
        );
        return true;
      });
    expect(told('firing')).toHaveLength(1);
  }, 180_000);

  it('when the holder is killed, the other judges and sends where it left off, and repeats nothing', async () => {
    const holder = await theHolder();
    await holder.signal('SIGKILL');
    await until(
      'the other holds it',
      async () => {
        const [now] = await holders();
        return now !== undefined && now !== holder;
      },
      { withinMs: 60_000 },
    );
    await queue.drain();
    await until('the end is reported', () => told('resolved').length === 1, { withinMs: 120_000 });
    expect(told('firing')).toHaveLength(1);
  }, 240_000);
});

describe.concurrent('a server as the store', () => {
  /** What no libSQL server is: it repeats what it was sent, as a proxy that is set up badly does. */
  let echo: Server;
  let url: string;
  let asked: readonly string[] = [];
  beforeAll(async () => {
    echo = createServer((request, response) => {
      asked = [...asked, String(request.headers.authorization)];
      response.statusCode = 401;
      response.end(`not let in: ${request.headers.authorization}`);
    });
    await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(echo.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    echo.closeAllConnections();
    await new Promise((resolve) => echo.close(resolve));
  });

  it('its token is in no log, page or answer, also where the server repeats it; such a console acts, but never holds a lease', async () => {
    const config = await configFile('refused.yaml', {
      instances: [{ name: 'default', url: redis.url }],
      store: { url, authToken: TOKEN },
    });
    const one = await startConsole({ args: ['--config', config, '--log-level', 'debug'] });
    try {
      await until(
        'it is ready to judge',
        async () => (await one.ask('GET', '/api/v1/overview')).status === 200,
      );
      expect(asked).toContain(`Bearer ${TOKEN}`);
      const paths = [
        '/',
        '/channels',
        '/alerts',
        '/timeline',
        '/api/v1/overview',
        '/api/v1/findings',
        '/api/v1/channels',
        '/api/v1/timeline',
        '/metrics',
        '/readyz',
      ];
      for (const path of paths) expect((await one.ask('GET', path)).text, path).not.toContain(TOKEN);
      expect((await one.ask('GET', '/channels')).text).toContain(
        'neither judges alerts, sends messages nor moves jobs',
      );
      expect((await one.ask('GET', '/api/v1/channels')).body.isSender).toBe(false);
      const note = { instance: 'default', kind: 'note', text: 'still at work' };
      expect((await one.ask('POST', '/api/v1/markers', note)).status).toBeLessThan(300);
    } finally {
      await one.stop();
    }
    expect(one.output()).toMatch(/the store at http:\/\/127\.0\.0\.1:\d+\/ can't be opened/);
    expect(one.output()).not.toContain(TOKEN);
  });

  it('of two consoles on one directory the one that can not open it does not lead, and says so', async () => {
    const dataDirectory = join(root, 'unopened');
    const first = await startConsole({ redisUrl: redis.url, dataDirectory });
    const other = otherUser();
    // Without another user to be, what it can't open is not the first one's.
    const unopened = other === null ? join(root, 'not-a-file') : dataDirectory;
    if (other === null) await mkdir(join(unopened, 'spillway.db'), { recursive: true });
    else await chmod(root, 0o711);
    let second: RunningConsole | null = null;
    try {
      const uid = other === null ? {} : { uid: other };
      second = await startConsole({ redisUrl: redis.url, dataDirectory: unopened, ...uid });
      expect((await first.ask('GET', '/readyz')).body).toMatchObject({ store: 'on disk', leads: true });
      expect((await second.ask('GET', '/readyz')).body).toMatchObject({ store: 'in memory', leads: 'never' });
      expect((await second.ask('GET', '/api/v1/channels')).body.isSender).toBe(false);
      expect((await second.ask('GET', '/')).text).toContain(
        'neither judges alerts, sends messages nor moves jobs',
      );
      const note = { instance: 'default', text: 'still at work' };
      expect((await second.ask('POST', '/api/v1/markers', note)).status).toBeLessThan(300);
    } finally {
      await second?.stop();
      await first.stop();
    }
  });

  it('the token is neither printed by --check nor quoted by an error about it', async () => {
    const inUrl = await configFile('in-url.yaml', {
      store: { url: `libsql://db.example.com?authToken=${TOKEN}` },
    });
    const config = loadConfig({ config: inUrl }, {});
    expect(config.store).toEqual({ url: 'libsql://db.example.com', authToken: TOKEN });
    expect(JSON.stringify(maskedConfig(config))).not.toContain(TOKEN);

    const bad = [
      { url: `ftp://db.example.com?authToken=${TOKEN}` },
      { url: `https://db.example.com?authToken=${TOKEN}%0aX` },
      { url: `https://user:${TOKEN}@db.example.com` },
      { url: 'https://db.example.com', authToken: `${TOKEN}\nX` },
    ];
    for (const store of bad) {
      const path = await configFile('bad.yaml', { store });
      try {
        loadConfig({ config: path }, {});
        expect.unreachable(JSON.stringify(store));
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigError);
        expect(String(error)).toMatch(/store\.(url|authToken): \*{4} must/);
        expect(String(error)).not.toContain(TOKEN);
      }
    }
  });

  it('environment goes before file', async () => {
    const config = await configFile('both.yaml', { store: { url: 'libsql://file.example.com' } });
    const environment = { SPILLWAY_STORE_URL: 'libsql://env.example.com', SPILLWAY_STORE_TOKEN: TOKEN };
    expect(loadConfig({ config }, environment).store).toEqual({
      url: 'libsql://env.example.com',
      authToken: TOKEN,
    });
  });
});

/** A user who may run the console, but not look into the data directory of another; null: there is none to be had. */
function otherUser(): number | null {
  const uid = 65_534;
  try {
    execFileSync('test', ['-r', packagePath('dist/spillway/main.js')], { uid, stdio: 'ignore' });
    return uid;
  } catch {
    return null;
  }
}

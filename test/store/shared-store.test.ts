import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Queue } from 'bullmq';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { loadConfig } from '../../server/config/config.js';
import { maskedConfig } from '../../server/config/masked-config.js';
import { openStore, type Store } from '../../server/open-store.js';
import { packagePath } from '../../server/process/package-path.js';
import { CommandRelay } from '../../server/replay/command-relay.js';
import { createIdempotencyStore } from '../../server/store/idempotency.js';
import { openSqlite } from '../../server/store/sqlite.js';
import { storeTroubleOf } from '../../server/store/store-trouble.js';
import { type RunningConsole, startConsole } from '../support/console.js';
import { DEEP_RULE } from '../support/deep-rule.js';
import { newPostgresStore, PASSWORD, sharedPostgres, startPostgres } from '../support/postgres.js';
import { type Receiver, startReceiver } from '../support/receiver.js';
import { until } from '../support/until.js';

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
    const database = await openSqlite(pathToFileURL(join(root, 'claims', 'spillway.db')).href);
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

describe.concurrent.each(['a file', 'PostgreSQL'])(
  'two consoles with data directories of their own and %s',
  (engine) => {
    let own: OwnRedis;
    let receiver: Receiver;
    let queue: Queue;
    const consoles: RunningConsole[] = [];
    beforeAll(async () => {
      const name = engine === 'PostgreSQL' ? 'pg' : 'file';
      const store =
        engine === 'PostgreSQL'
          ? await newPostgresStore()
          : { url: pathToFileURL(join(root, 'shared.db')).href };
      // Queues of another pair would be found here too.
      own = await startRedis();
      receiver = await startReceiver();
      queue = new Queue(name, { connection: { port: own.port } });
      await queue.addBulk(Array.from({ length: 10 }, (_, n) => ({ name: 'job', data: { n } })));
      const config = await configFile(`${name}.yaml`, {
        instances: [{ name: 'default', url: own.url, queues: [`bull:${name}`] }],
        store: { url: store.url },
        alerts: {
          channels: [{ name: 'hook', type: 'webhook', url: `${receiver.url}/hook` }],
          groupIntervalSeconds: 1,
          rules: [DEEP_RULE],
        },
      });
      for (const which of ['one', 'two'])
        consoles.push(
          await startConsole({
            dataDirectory: join(root, `${name}-${which}`),
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
  },
);

describe.concurrent('a PostgreSQL that goes, or never was as store.url says', () => {
  const SECRET = encodeURIComponent(PASSWORD);

  it('while it is down the console sees and acts, and says so; when it is back it leads again by itself', async () => {
    const postgres = await startPostgres();
    const config = await configFile('restarts.yaml', {
      instances: [{ name: 'default', url: redis.url }],
      store: { url: postgres.url() },
    });
    const one = await startConsole({ args: ['--config', config, '--log-level', 'debug'] });
    const leads = async (): Promise<unknown> => (await one.ask('GET', '/readyz')).body?.leads;
    const note = { instance: 'default', text: 'a note' };
    try {
      await until('it leads', async () => (await leads()) === true);
      expect((await one.ask('POST', '/api/v1/markers', note)).status).toBeLessThan(300);
      await postgres.crash();
      const store = async (): Promise<unknown> => (await one.ask('GET', '/readyz')).body?.store;
      await until('it says why nothing is written', async () => (await store()) === 'unreachable');
      expect((await one.ask('POST', '/api/v1/markers', note)).body).toMatchObject({
        status: 503,
        type: '/docs#problem-store-unavailable',
        detail: expect.stringContaining('the store does not answer: look at the PostgreSQL of store.url'),
      });
      const { readAt } = (await one.ask('GET', '/api/v1/overview')).body.instances[0];
      await until(
        'it goes on reading Redis',
        async () => (await one.ask('GET', '/api/v1/overview')).body.instances[0].readAt > readAt,
      );
      await postgres.start();
      await until('it leads again', async () => (await leads()) === true);
      await until(
        'it keeps notes again',
        async () => (await one.ask('POST', '/api/v1/markers', note)).status < 300,
      );
    } finally {
      await one.stop();
      await postgres.stop();
    }
    expect(one.output()).not.toContain(PASSWORD);
    expect(one.output()).not.toContain(SECRET);
  });

  it('its password is in no log, page or answer; a console that it refuses acts, but never holds a lease', async () => {
    const wrong = 'the-wrong-password';
    const postgres = await sharedPostgres();
    const config = await configFile('refused.yaml', {
      instances: [{ name: 'default', url: redis.url }],
      store: { url: postgres.url({}, { password: wrong }) },
    });
    const one = await startConsole({ args: ['--config', config, '--log-level', 'debug'] });
    try {
      await until('it watches', async () => (await one.ask('GET', '/api/v1/overview')).status === 200);
      const paths = ['/', '/channels', '/alerts', '/timeline', '/metrics', '/readyz'];
      const api = ['overview', 'findings', 'channels', 'timeline'].map((name) => `/api/v1/${name}`);
      for (const path of [...paths, ...api])
        expect((await one.ask('GET', path)).text, path).not.toContain(wrong);
      expect((await one.ask('GET', '/channels')).text).toContain(
        'neither judges alerts, sends messages nor moves jobs',
      );
      expect((await one.ask('GET', '/api/v1/channels')).body.isSender).toBe(false);
      const note = { instance: 'default', text: 'still at work' };
      expect((await one.ask('POST', '/api/v1/markers', note)).status).toBeLessThan(300);
    } finally {
      await one.stop();
    }
    expect(one.output()).toMatch(
      /the store at postgres:\/\/postgres:\*{4}@127\.0\.0\.1:\d+\/postgres can't be opened/,
    );
    expect(one.output()).toContain('look at user, password and pg_hba.conf');
    expect(one.output()).not.toContain(wrong);
  });

  it.each([
    ['no such database', { pathname: '/none' }, {}, 'has no such database: create it'],
    ['nobody listens', { port: '1' }, {}, 'the store does not answer'],
    ['no such user', { username: 'nobody' }, {}, 'does not let the console in'],
    ['no TLS', {}, { sslmode: 'verify-full' }, 'speaks no TLS as sslmode asks'],
    ['no right to its schema', { username: 'reader' }, { schema: 'others' }, 'may not do this in PostgreSQL'],
    ['a standby, or set so', { username: 'standby' }, {}, 'can only be read: it is a standby, or was set so'],
  ])('one line says what is wrong: %s', async (_, over, parameters, line) => {
    const postgres = await sharedPostgres();
    for (const name of ['reader', 'standby'])
      await postgres.query(
        `DO $$ BEGIN CREATE ROLE ${name} LOGIN PASSWORD '${PASSWORD}'; EXCEPTION WHEN duplicate_object THEN NULL; END $$`,
      );
    await postgres.query('ALTER ROLE standby SET default_transaction_read_only = on');
    const store = await openStore(join(root, 'bad'), { url: postgres.url(parameters, over), name: 'pg' });
    expect(store.problem).toContain(line);
    expect(store.problem).not.toContain('\n');
    store.close();
  });

  it('what was wrong meanwhile is told by its code: a full disk, a lock, a connection too many, tables that are gone', () => {
    const told = (code: string) => {
      const error = Object.assign(new Error('said by the server'), { code, severity: 'ERROR' });
      return storeTroubleOf(error);
    };
    expect(
      ['53100', '55P03', '57014', '40001', '53300', '42P01', '25006', '57P01', '22001'].map(told),
    ).toEqual([
      ...['server-full', 'server-busy', 'server-busy', 'server-busy', 'too-many', 'other-schema'],
      ...['server-read-only', 'unreachable', null],
    ]);
  });

  it('the password is neither printed by --check nor quoted by an error about it; environment goes before file', async () => {
    const url = `postgres://ana:${SECRET}@db.example.com/spillway`;
    const config = loadConfig({ config: await configFile('in-url.yaml', { store: { url } }) }, {});
    expect(config.store).toEqual({ url, name: 'postgres://ana:****@db.example.com/spillway' });
    expect(JSON.stringify(maskedConfig(config))).not.toContain(SECRET);

    const bad = [
      `ftp://ana:${SECRET}@db.example.com`,
      `libsql://ana:${SECRET}@db.example.com`,
      `${url}?password=x`,
      `${url}?sslmode=prefer`,
      `${url}?schema=A;B`,
      `postgres://ana:100%@db.example.com`,
    ];
    for (const one of bad) {
      const path = await configFile('bad.yaml', { store: { url: one } });
      expect(() => loadConfig({ config: path }, {}), one).toThrow(/^store\.url: \*{4} must/);
      expect(() => loadConfig({ config: path }, {}), one).not.toThrow(SECRET);
    }
    const file = await configFile('both.yaml', { store: { url: 'postgres://file.example.com/a' } });
    const environment = { SPILLWAY_STORE_URL: 'postgres://env.example.com/b' };
    expect(loadConfig({ config: file }, environment).store?.url).toBe('postgres://env.example.com/b');
  });
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

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { test as base, expect } from 'vitest';
import { type ClusterOptions, type OwnCluster, startCluster } from '../support/cluster.js';
import { type RunningConsole, startConsole } from '../support/console.js';
import { parseExposition } from '../support/exposition.js';
import { until } from '../support/until.js';

/** Their slots are of different masters. */
const QUEUES = ['{a}:mail', '{b}:mail', '{c}:mail'] as const;
const [ON_KILLED, ON_ANOTHER] = QUEUES;
const JOBS = 30;
const API = '/api/v1/instances/default/queues';
const RULE = {
  id: 'piled-up',
  name: 'piled up',
  condition: { kind: 'compare', signal: 'queue_backlog_jobs', is: 'above', threshold: 5 },
  forSeconds: 0,
  keepFiringSeconds: 0,
};

interface Listed {
  readonly queues: readonly { readonly id: string; readonly backlog: number }[];
  readonly unread: readonly {
    readonly id: string;
    readonly problem: string;
    readonly last: { readonly backlog: number } | null;
  }[];
}

class Scene {
  readonly cluster: OwnCluster;
  readonly console: RunningConsole;

  constructor(cluster: OwnCluster, console: RunningConsole) {
    this.cluster = cluster;
    this.console = console;
  }

  get master() {
    const port = this.cluster.portOf(`${ON_KILLED}:wait`);
    const found = this.cluster.nodes.find((node) => node.port === port);
    if (!found) throw new Error(`no node at ${port}`);
    return found;
  }

  async list(): Promise<Listed> {
    return (await this.console.ask('GET', API)).body;
  }

  /** Alerts about the queues that fire, as `<id> since <when>`. */
  async firing(): Promise<readonly string[]> {
    const { body } = await this.console.ask('GET', '/api/v1/alerts?state=firing');
    return body.alerts
      .filter(({ rule }: { rule: { id: string } }) => rule.id === RULE.id)
      .map(({ id, firedAt }: { id: string; firedAt: string }) => `${id} since ${firedAt}`)
      .sort();
  }

  pause(queue: string) {
    const body = { instance: 'default', queues: [queue], args: {}, reason: 'try' };
    return this.console.ask('POST', '/api/v1/actions/queue.pause', body);
  }

  /** What is told wrong at this moment: a queue that has vanished or counts less, a sum that lacks one, an alert that is over. */
  async wrong(alerts: readonly string[]): Promise<readonly unknown[]> {
    const { queues, unread } = await this.list();
    const ids = [...queues, ...unread].map(({ id }) => id).sort();
    const backlogs = [...queues.map(({ backlog }) => backlog), ...unread.map(({ last }) => last?.backlog)];
    const { totals } = (await this.console.ask('GET', '/api/v1/overview')).body.instances[0];
    const { samples } = parseExposition((await this.console.ask('GET', '/metrics')).text);
    const sum = samples.find(({ name }) => name === 'spillway_backlog_jobs')?.value ?? null;
    const firing = await this.firing();
    return [
      ...(ids.join() === QUEUES.join() && backlogs.every((backlog) => backlog === JOBS)
        ? []
        : [{ queues, unread }]),
      ...(totals.queues + totals.unreadQueues === QUEUES.length && totals.backlog === totals.queues * JOBS
        ? []
        : [totals]),
      ...(sum === null || sum === QUEUES.length * JOBS ? [] : [{ sum }]),
      ...(firing.join() === alerts.join() ? [] : [{ firing, alerts }]),
    ];
  }

  /** Waits for something, and holds meanwhile what is told against what is so. */
  async untilAllRight(
    what: string,
    alerts: readonly string[],
    is: (listed: Listed) => boolean,
  ): Promise<Listed> {
    const wrong: unknown[] = [];
    const listed = await until(what, async () => {
      wrong.push(...(await this.wrong(alerts)));
      const now = await this.list();
      return is(now) && now;
    });
    expect(wrong).toEqual([]);
    return listed;
  }
}

/** A Cluster for each test, so that they wait side by side, with a queue on each master, a console on it as users run it, and an alert that fires for each queue. */
const it = base.extend<{ readonly start: (options: ClusterOptions) => Promise<Scene> }>({
  start: async ({ task: _task }, use) => {
    const ends: (() => Promise<unknown>)[] = [];
    await use(async (options) => {
      const cluster = await startCluster(options);
      ends.push(() => cluster.stop());
      for (const id of QUEUES) {
        const [prefix = '', name = ''] = id.split(':');
        const queue = new Queue(name, { connection: cluster.client, prefix });
        await queue.addBulk(Array.from({ length: JOBS }, () => ({ name: 'send', data: {} })));
        await queue.close();
      }
      const directory = await mkdtemp(join(tmpdir(), 'spillway-cluster-'));
      ends.push(() => rm(directory, { recursive: true, force: true }));
      const config = join(directory, 'spillway.yaml');
      const hosts = cluster.nodes.map(({ port }) => `127.0.0.1:${port}`);
      await writeFile(
        config,
        JSON.stringify({ instances: [{ name: 'default', cluster: { hosts }, queues: QUEUES }] }),
      );
      const console_ = await startConsole({ args: ['--config', config] });
      ends.push(() => console_.stop());
      const scene = new Scene(cluster, console_);
      await until('all are read', async () => (await scene.list()).queues.length === QUEUES.length);
      await console_.ask('POST', '/api/v1/alert-rules', RULE);
      await until('an alert of each', async () => (await scene.firing()).length === QUEUES.length);
      return scene;
    });
    for (const end of ends.reverse()) await end();
  },
});

const isUnread = (listed: Listed, id: string): boolean => listed.unread.some((one) => one.id === id);

it.concurrent('a master of a Cluster is killed and its replica takes over: its queue is unknown until then, no alert ends, and actions follow', async ({
  start,
}) => {
  const scene = await start({ hasReplicas: true });
  const { master } = scene;
  const alerts = await scene.firing();
  await until('its replica holds what it does', async () => {
    const told = await master.client.info('replication');
    const [, own] = /master_repl_offset:(\d+)/.exec(told) ?? [];
    return told.includes(`,offset=${own},`);
  });
  await master.kill();
  const { unread } = await scene.untilAllRight('its queue is not known', alerts, (now) =>
    isUnread(now, ON_KILLED),
  );
  expect(unread.find(({ id }) => id === ON_KILLED)?.problem).toMatch(/does not answer/);
  const refused = await scene.pause(ON_KILLED);
  expect([refused.status, refused.body.detail]).toEqual([
    503,
    expect.stringMatching(/can not be read now.*so nothing was changed/),
  ]);
  await scene.untilAllRight('the replica is read', alerts, (now) => now.queues.length === QUEUES.length);
  expect((await scene.pause(ON_KILLED)).status).toBe(200);
  expect(await scene.cluster.client.hget(`${ON_KILLED}:meta`, 'concurrency')).toBe('0');
});

it.concurrent('a master of a Cluster without a replica is killed: what is not known is not 0, actions say why, and all is as it was once it is back', async ({
  start,
}) => {
  const scene = await start({ args: ['--appendonly', 'yes'] });
  const { master } = scene;
  const alerts = await scene.firing();
  await master.kill();
  await scene.untilAllRight('its queue is not known', alerts, (now) => isUnread(now, ON_KILLED));
  // Redis' own default: a Cluster that lacks slots serves none.
  const { unread } = await scene.untilAllRight('all masters say that the Cluster is down', alerts, (now) =>
    isUnread(now, ON_ANOTHER),
  );
  expect(unread.find(({ id }) => id === ON_ANOTHER)?.problem).toMatch(/the cluster is down/);
  for (const id of [ON_KILLED, ON_ANOTHER]) {
    const refused = await scene.pause(id);
    expect([refused.status, refused.body.detail]).toEqual([
      503,
      expect.stringMatching(/can not be read now.*so nothing was changed/),
    ]);
  }
  await master.restart();
  await scene.untilAllRight('all are read again', alerts, (now) => now.queues.length === QUEUES.length);
  expect((await scene.pause(ON_KILLED)).status).toBe(200);
});

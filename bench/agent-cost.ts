import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Queue } from 'bullmq';
import { type OwnRedis, startRedis } from '../drills/own-redis.js';
import type { FleetAsks, FleetPlan, FleetSays } from './agent-fleet.js';
import type { Row } from './row.js';
import { cpuMsOf, medianOf, pause, quantile, redisCost, startConsole, waitFor } from './world.js';

interface Fleet {
  ask(asked: FleetAsks): Promise<FleetSays>;
  stop(): Promise<void>;
}

/** What the agent costs those that it is in, those that it talks to, and how soon an order is in force. */
export async function agentRows(isQuick: boolean): Promise<readonly Row[]> {
  return [
    await throughput(isQuick),
    ...(await manyAgents(isQuick)),
    ...(await orders(isQuick, false)),
    ...(await orders(isQuick, true)),
  ];
}

/** Jobs that do nothing: the worst case, as then all time is BullMQ's and the agent's. */
export async function throughput(isQuick: boolean): Promise<Row> {
  const jobs = isQuick ? 10_000 : 120_000;
  const pairs = isQuick ? 2 : 8;
  const runs = { none: [] as number[], shared: [] as number[] };
  for (let i = 0; i < pairs; i++) {
    // By turns, and each first as often: what else the machine does hits both alike.
    const order = i % 2 === 0 ? (['none', 'shared'] as const) : (['shared', 'none'] as const);
    for (const agent of order) runs[agent].push(await jobsPerSecond(agent, jobs));
  }
  // Of each pair, as the machine is not the same throughout.
  const ratios = runs.shared.map((rate, i) => (runs.none[i] ?? Number.NaN) / rate);
  const alone = 1000 / medianOf(runs.none);
  return {
    id: 'throughput',
    what: `time of an empty job in a worker with the agent, concurrency 50, median of ${pairs} pairs by turns`,
    kind: 'ratio',
    unit: 'ms',
    value: alone * medianOf(ratios),
    peer: alone,
    limit: 1.02,
    repeats: ratios,
    detail: `${medianOf(runs.shared).toFixed(0)} jobs/s`,
    peerDetail: `${medianOf(runs.none).toFixed(0)} jobs/s without`,
  };
}

async function jobsPerSecond(agent: 'none' | 'shared', jobs: number): Promise<number> {
  const redis = await startRedis();
  try {
    await add(redis, 'bench', jobs, {});
    const fleet = await startFleet({ port: redis.port, queue: 'bench', workers: 1, concurrency: 50, agent });
    try {
      // The first jobs find a cold program, and an agent that connects.
      const from = await until(fleet, jobs * 0.3);
      const to = await until(fleet, jobs * 0.95);
      return ((to.done - from.done) * 1000) / (to.atMs - from.atMs);
    } finally {
      await fleet.stop();
    }
  } finally {
    await redis.stop();
  }
}

async function until(fleet: Fleet, count: number): Promise<{ done: number; atMs: number }> {
  for (;;) {
    const { done = 0 } = await fleet.ask({ ask: 'count' });
    if (done >= count) return { done, atMs: performance.now() };
    await pause(10);
  }
}

/** As many agents as processes, each with connections of its own; their workers idle, as most are. */
export async function manyAgents(isQuick: boolean): Promise<readonly Row[]> {
  const agents = isQuick ? 50 : 500;
  const windows = isQuick ? 2 : 4;
  const processes = 5;
  const redis = await startRedis();
  const shares = { none: [] as number[], shared: [] as number[], apart: [] as number[] };
  const consoleShares: number[] = [];
  try {
    for (const agent of ['none', 'shared', 'apart'] as const) {
      const fleets = await Promise.all(
        Array.from({ length: processes }, () =>
          startFleet({
            port: redis.port,
            queue: 'bench',
            workers: agents / processes,
            concurrency: 5,
            agent,
          }),
        ),
      );
      const console_ = await startConsole(redis);
      await pause(8_000);
      for (let i = 0; i < windows; i++) {
        const [cpuThen, redisThen, thenMs] = [
          await cpuMsOf(console_.pid),
          await redisCost(redis.client),
          performance.now(),
        ];
        await pause(isQuick ? 2_500 : 8_000);
        const passedMs = performance.now() - thenMs;
        const redisNow = await redisCost(redis.client);
        shares[agent].push(((redisNow.cpuMs - redisThen.cpuMs) / passedMs) * 100);
        if (agent === 'apart')
          consoleShares.push((((await cpuMsOf(console_.pid)) - cpuThen) / passedMs) * 100);
      }
      await console_.stop();
      await Promise.all(fleets.map((fleet) => fleet.stop()));
    }
  } finally {
    await redis.stop();
  }
  const without = medianOf(shares.none);
  const row = (id: string, what: string, repeats: readonly number[], limit: number): Row => ({
    id,
    what,
    kind: 'cost',
    unit: '% of a core',
    value: medianOf(repeats),
    limit,
    repeats,
  });
  const beside = (all: readonly number[]): readonly number[] => all.map((percent) => percent - without);
  const peerDetail = `${without.toFixed(2)}% for the same idle workers without`;
  return [
    {
      ...row(
        'many.redis-cpu',
        `Redis CPU of ${agents} agents, each with connections of its own as if each were a process, on a Redis that does nothing else`,
        beside(shares.apart),
        1,
      ),
      peerDetail,
    },
    {
      ...row(
        'many-shared.redis-cpu',
        `Redis CPU of ${agents} workers with the agent in ${processes} processes, which share connections`,
        beside(shares.shared),
        1,
      ),
      peerDetail,
    },
    row('many.console-cpu', `CPU of the console with ${agents} agents`, consoleShares, 2),
  ];
}

/** From the request to the moment in which each of 200 workers runs as many jobs as was ordered. */
export async function orders(isQuick: boolean, isFull: boolean): Promise<readonly Row[]> {
  const times = isQuick ? 4 : 25;
  const processes = 5;
  const workers = 200;
  const redis = await startRedis();
  const console_ = await startConsole(redis);
  const took: number[] = [];
  const answered: number[] = [];
  try {
    // Long enough to be running throughout, so that only the order brings a change.
    await add(redis, 'bench', isFull ? 1 : workers * (times + 2), { ms: 600_000 });
    const fleets = await Promise.all(
      Array.from({ length: processes }, () =>
        startFleet({
          port: redis.port,
          queue: 'bench',
          workers: workers / processes,
          concurrency: 1,
          agent: 'shared',
        }),
      ),
    );
    const url = `${console_.url}/api/v1/instances/default/queues/bull%3Abench/workers`;
    await waitFor(async () => (await heard(console_.url)) === workers, `${workers} workers are heard`);
    if (isFull) await fill(redis);
    for (let i = 0; i < times; i++) {
      const concurrency = i + 2;
      await Promise.all(fleets.map((fleet) => fleet.ask({ ask: 'await', running: concurrency })));
      const startedAtMs = Date.now();
      const response = await fetch(url, {
        method: 'PATCH',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ concurrency, reason: 'bench' }),
      });
      const body = (await response.json()) as { outcomes: { workers: { concurrency: number | null }[] }[] };
      answered.push(Date.now() - startedAtMs);
      const results = body.outcomes.flatMap((outcome) => outcome.workers);
      if (results.length !== workers || results.some((result) => result.concurrency !== concurrency))
        throw new Error(`not all followed: ${JSON.stringify(body).slice(0, 600)}`);
      if (isFull) continue;
      const reached = async () =>
        (await Promise.all(fleets.map((fleet) => fleet.ask({ ask: 'count' })))).flatMap(
          (said) => said.atMs ?? [],
        );
      await waitFor(async () => (await reached()).every((at) => at !== null), 'all run as ordered');
      for (const at of await reached()) took.push((at ?? 0) - startedAtMs);
    }
    await Promise.all(fleets.map((fleet) => fleet.stop()));
  } finally {
    await console_.stop();
    await redis.stop();
  }
  const state = isFull ? 'full' : 'healthy';
  const row = (id: string, what: string, values: readonly number[]): Row => ({
    id: `order.${id}.${state}`,
    what: `${what} (${state} Redis, ${times} orders to ${workers} workers in ${processes} processes), p99`,
    kind: 'time',
    unit: 'ms',
    value: quantile(values, 0.99),
    limit: 250,
    detail: `median ${medianOf(values).toFixed(0)} ms`,
    peerDetail: 'no dashboard can',
  });
  return [
    row('answered', 'an order, request to the answer of all workers that it is in force', answered),
    ...(isFull ? [] : [row('running', 'an order, request to each worker running that many jobs', took)]),
  ];
}

async function heard(url: string): Promise<number> {
  const response = await fetch(`${url}/api/v1/instances/default/workers?limit=500`);
  const { workers } = (await response.json()) as { workers: { agent: unknown }[] };
  return workers.filter((worker) => worker.agent).length;
}

/** Clearly over the limit; the ballast is made by the server, so that no client buffer holds it. */
async function fill(redis: OwnRedis): Promise<void> {
  await redis.client.setrange('ballast', 40_000_000, 'x');
  const used = Number(/used_memory:(\d+)/.exec(await redis.client.info('memory'))?.[1]);
  await redis.client.config('SET', 'maxmemory', String(Math.floor(used * 0.8)));
}

async function add(redis: OwnRedis, name: string, count: number, data: object): Promise<void> {
  const queue = new Queue(name, { connection: { host: '127.0.0.1', port: redis.port } });
  await queue.waitUntilReady();
  const options = { removeOnComplete: true };
  for (let at = 0; at < count; at += 2_000) {
    const size = Math.min(2_000, count - at);
    await queue.addBulk(Array.from({ length: size }, () => ({ name: 'job', data, opts: options })));
  }
  await queue.close();
}

async function startFleet(plan: FleetPlan): Promise<Fleet> {
  const main = fileURLToPath(new URL('./agent-fleet.js', import.meta.url));
  const child: ChildProcess = fork(main, [JSON.stringify(plan)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const next = (): Promise<FleetSays> => new Promise((resolve) => child.once('message', resolve));
  await next();
  return {
    ask: (asked) => {
      const answer = next();
      child.send(asked);
      return answer;
    },
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.kill('SIGKILL');
      }),
  };
}

import { spawnSync } from 'node:child_process';
import { type OwnRedis, overfill, startRedis } from '../drills/own-redis.js';
import { sleep } from '../drills/wait-for.js';
import type { RunningConsole } from '../test/support/console.js';
import { until } from '../test/support/until.js';
import type { FleetAsks, FleetPlan, FleetSays } from './agent-fleet.js';
import { costOf } from './cost.js';
import { cost, medianOf, quantileOf, type Row, time } from './row.js';
import { addJobs } from './seed.js';
import { during, ordered, startChild, startOwnConsole } from './world.js';

const PROCESSES = 5;

/** What the agent costs those that it is in, those that it talks to, and how soon an override is in force. */
export async function agentRows(isQuick: boolean): Promise<readonly Row[]> {
  return [
    await throughput(isQuick),
    ...(await manyAgents(isQuick)),
    ...(await overrideRows(isQuick, false)),
    ...(await overrideRows(isQuick, true)),
    registerRow(isQuick),
  ];
}

/** What `--import spillway-agent/register` adds to the start of a process, before a worker is made. */
function registerRow(isQuick: boolean): Row {
  const script = 'require("bullmq"); const { user, system } = process.cpuUsage(); console.log(user + system)';
  const startMs = (flags: readonly string[]): number => {
    const { stdout, stderr } = spawnSync(process.execPath, [...flags, '-e', script], { encoding: 'utf8' });
    if (!(Number(stdout) > 0)) throw new Error(`it did not start: ${stderr}`);
    return Number(stdout) / 1000;
  };
  const flags = ['--import', 'spillway-agent/register'];
  const added = Array.from({ length: isQuick ? 5 : 41 }, () => -startMs([]) + startMs(flags));
  const what = 'CPU that --import spillway-agent/register adds to the start of a process with BullMQ';
  return cost('register', what, 'ms', added, { limit: 30 });
}

/** Jobs that do nothing: the worst case, as then all time is BullMQ's and the agent's. */
async function throughput(isQuick: boolean): Promise<Row> {
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

function jobsPerSecond(agent: 'none' | 'shared', jobs: number): Promise<number> {
  return during(startRedis(), async (redis) => {
    await addJobs(redis, 'bench', jobs, () => ({}), { removeOnComplete: true });
    const starting = startFleet(redis, { workers: 1, concurrency: 50, agent });
    return during(starting, async (fleet) => {
      const reached = async (count: number) => {
        for (;;) {
          const { done } = await fleet.ask({ ask: 'count' });
          if (done >= count) return { done, atMs: performance.now() };
          await sleep(10);
        }
      };
      // The first jobs find a cold program, and an agent that connects.
      const from = await reached(jobs * 0.3);
      const to = await reached(jobs * 0.95);
      return ((to.done - from.done) * 1000) / (to.atMs - from.atMs);
    });
  });
}

/** As many agents as processes, each with connections of its own; their workers idle, as most are. */
async function manyAgents(isQuick: boolean): Promise<readonly Row[]> {
  const [agents, windows, windowMs] = isQuick ? [50, 2, 2_500] : [500, 4, 8_000];
  const redisPercent = { none: [] as number[], shared: [] as number[], apart: [] as number[] };
  const consolePercent: number[] = [];
  await during(startRedis(), async (redis) => {
    for (const agent of ['none', 'shared', 'apart'] as const)
      await during(startFleets(redis, agents, { concurrency: 5, agent }), () =>
        during(startOwnConsole(redis), async ({ pid }) => {
          await sleep(8_000);
          for (let i = 0; i < windows; i++) {
            const used = await costOf(redis, () => sleep(windowMs), pid);
            redisPercent[agent].push(used.redisPercent);
            if (agent === 'apart') consolePercent.push(used.processPercent);
          }
        }),
      );
  });
  const without = medianOf(redisPercent.none);
  const ofRedis = (id: string, what: string, percent: readonly number[]): Row =>
    cost(
      `${id}.redis-cpu`,
      `Redis CPU of ${agents} ${what}`,
      '% of a core',
      percent.map((all) => all - without),
      { limit: 1, peerDetail: `${without.toFixed(2)}% for the same idle workers without` },
    );
  const apart =
    'agents, each with connections of its own as if each were a process, on a Redis that does nothing else';
  const shared = `workers with the agent in ${PROCESSES} processes, which share connections`;
  const console_ = `CPU of the console with ${agents} agents`;
  return [
    ofRedis('many', apart, redisPercent.apart),
    ofRedis('many-shared', shared, redisPercent.shared),
    cost('many.console-cpu', console_, '% of a core', consolePercent, { limit: 2 }),
  ];
}

/** From the request to the moment in which each of 200 workers runs as many jobs as it asks for. */
async function overrideRows(isQuick: boolean, isFull: boolean): Promise<readonly Row[]> {
  const times = isQuick ? 4 : 25;
  const workers = 200;
  const took: number[] = [];
  const answered: number[] = [];
  await during(startRedis(), (redis) =>
    during(startOwnConsole(redis), async (console_) => {
      // Long enough to be running throughout, so that only the override brings a change.
      await addJobs(redis, 'bench', isFull ? 1 : workers * (times + 2), () => ({ ms: 600_000 }));
      const plan = { concurrency: 1, agent: 'shared' } as const;
      await during(startFleets(redis, workers, plan), async (fleets) => {
        await until(`${workers} agents are known`, async () => (await withAgent(console_)) === workers, {
          withinMs: 60_000,
          everyMs: 100,
        });
        // The ballast is made by the server, so that no client buffer holds it.
        if (isFull) await redis.client.setrange('ballast', 40_000_000, 'x');
        if (isFull) await overfill(redis);
        for (let concurrency = 2; concurrency < times + 2; concurrency++) {
          await fleets.ask({ ask: 'await', running: concurrency });
          const startedAtMs = Date.now();
          const path = '/instances/default/queues/bull%3Abench/workers';
          const { outcomes } = await ordered(console_, 'PATCH', path, { concurrency });
          answered.push(Date.now() - startedAtMs);
          const results: { concurrency: number }[] = outcomes[0].workers;
          if (results.length !== workers || results.some((result) => result.concurrency !== concurrency))
            throw new Error(`not all followed: ${JSON.stringify(results).slice(0, 600)}`);
          if (isFull) continue;
          const reached = async () => (await fleets.ask({ ask: 'count' })).flatMap(({ atMs }) => [...atMs]);
          const all = await until(
            'all run as many',
            async () => {
              const atMs = await reached();
              return atMs.every((at) => at !== null) && atMs;
            },
            { withinMs: 60_000, everyMs: 100 },
          );
          took.push(...all.map((at) => (at ?? Number.NaN) - startedAtMs));
        }
      });
    }),
  );
  const state = isFull ? 'full' : 'healthy';
  const setting = `${state} Redis, ${times} orders to ${workers} workers in ${PROCESSES} processes`;
  const row = (id: string, what: string, values: readonly number[]): Row =>
    time(`order.${id}.${state}`, `${what} (${setting}), p99`, 'ms', quantileOf(values, 0.99), {
      limit: 250,
      detail: `median ${medianOf(values).toFixed(0)} ms`,
      peerDetail: 'no dashboard can',
    });
  return [
    row('answered', 'an order, request to the answer of all workers that it is in force', answered),
    ...(isFull ? [] : [row('running', 'an order, request to each worker running that many jobs', took)]),
  ];
}

async function withAgent(console_: RunningConsole): Promise<number> {
  const { workers } = await ordered(console_, 'GET', '/instances/default/workers?limit=500');
  return workers.filter(({ agent }: { agent: unknown }) => agent).length;
}

async function startFleet(redis: OwnRedis, plan: Omit<FleetPlan, 'port' | 'queue'>) {
  const all: FleetPlan = { port: redis.port, queue: 'bench', ...plan };
  const child = startChild('agent-fleet', JSON.stringify(all));
  await child.next();
  return {
    ask(asked: FleetAsks): Promise<FleetSays> {
      const answer = child.next<FleetSays>();
      child.process.send(asked);
      return answer;
    },
    stop: () => child.stop(),
  };
}

/** So many workers in some processes. */
async function startFleets(
  redis: OwnRedis,
  workers: number,
  plan: Omit<FleetPlan, 'port' | 'queue' | 'workers'>,
) {
  const own = { ...plan, workers: workers / PROCESSES };
  const fleets = await Promise.all(Array.from({ length: PROCESSES }, () => startFleet(redis, own)));
  return {
    ask: (asked: FleetAsks) => Promise.all(fleets.map((fleet) => fleet.ask(asked))),
    stop: () => Promise.all(fleets.map((fleet) => fleet.stop())),
  };
}

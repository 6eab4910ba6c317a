import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePort, type OwnRedis } from '../drills/own-redis.js';
import { type Answer, type RunningConsole, startConsole } from '../test/support/console.js';
import { until } from '../test/support/until.js';

/** Processes that are measured, and that measure: each is stopped by `during`, whatever happens. */

/** What programs and people wait for at most, where nothing else is said. */
const WITHIN_MS = 60_000;

/** Uses something that was started, and stops it whatever happens. */
export async function during<Started extends { stop(): Promise<unknown> }, Result>(
  starting: Started | Promise<Started>,
  use: (started: Started) => Promise<Result>,
): Promise<Result> {
  const started = await starting;
  try {
    return await use(started);
  } finally {
    await started.stop();
  }
}

/** The console as users run it, and silent. @param env for it alone. */
export function startOwnConsole(
  redis: OwnRedis,
  env: Readonly<Record<string, string>> = {},
): Promise<RunningConsole> {
  return startConsole({ redisUrl: redis.url, args: ['--log-level', 'silent'], env });
}

/** A console that sees the queues `queue-0` and on. */
export async function startSeeing(redis: OwnRedis, queues: number): Promise<RunningConsole> {
  const console_ = await startOwnConsole(redis);
  await untilSees(console_, queues);
  return console_;
}

/** Waits until the console reports so many queues at least. */
export async function untilSees(
  console_: RunningConsole,
  queues: number,
  withinMs = WITHIN_MS,
): Promise<void> {
  const seen = async (): Promise<boolean> =>
    ((await console_.ask('GET', '/api/v1/overview')).body.instances[0]?.totals.queues ?? 0) >= queues;
  await until(`the console sees ${queues} queues`, seen, { withinMs, everyMs: 100 });
}

/** Asks the console, and gives the body of its answer. @throws Error with what it answered, for any status but 200 */
export async function ordered(
  console_: RunningConsole,
  method: string,
  path: string,
  body?: object,
): Promise<Answer['body']> {
  const answer = await console_.ask(method, `/api/v1${path}`, body && { reason: 'bench', ...body });
  if (answer.status !== 200)
    throw new Error(`${method} ${path}: ${answer.status} ${answer.text.slice(0, 600)}`);
  return answer.body;
}

/** A process of this folder that talks by IPC. */
interface Child {
  readonly process: ChildProcess;
  readonly pid: number;
  /** Its next message. */
  next<Message>(): Promise<Message>;
  stop(): Promise<void>;
}

/** Starts `bench/<name>.ts` as a process of its own. */
export function startChild(name: string, ...args: readonly (string | number)[]): Child {
  const file = fileURLToPath(new URL(`./${name}.js`, import.meta.url));
  const child = fork(file, args.map(String), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  return {
    process: child,
    pid: child.pid ?? 0,
    next: async () => (await once(child, 'message'))[0],
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

/** The peer, @bull-board/api over the queues `queue-0` and on of the same Redis; `url` is that of its API. */
export async function startBullBoard(
  redis: OwnRedis,
  queues: number,
): Promise<Child & { readonly url: string }> {
  const port = await freePort();
  const child = startChild('processes', 'bull-board', redis.port, port, queues);
  await child.next();
  return { ...child, url: `http://127.0.0.1:${port}/board/api/queues` };
}

/** Begins a replay of the jobs that `seedFailed` has made; its id. */
export async function startReplay(console_: RunningConsole, ratePerSecond: number): Promise<string> {
  const spec = { queues: ['queue-0'], ratePerSecond, guard: false };
  return (await ordered(console_, 'POST', '/replays', spec)).id;
}

import { type ChildProcess, fork } from 'node:child_process';
import { mkdtemp, readdir, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue } from 'bullmq';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { packagePath } from '../../server/process/package-path.js';
import { startWorker, type WorkerProcess } from './bullmq-process.js';
import type { CrashOrder, CrashState } from './crash-child.js';
import { addEnded } from './failed-jobs.js';
import { type JobRun, judgeRuns, type LostTime, type RunVerdict } from './judge-runs.js';
import { pictureOf, type QueuePicture } from './queue-picture.js';
import { seededRandom } from './seeded-random.js';
import { until } from './until.js';

export interface CrashPlan {
  readonly seed: number;
  /** SIGKILLs of the console, and of Redis, at random moments. */
  readonly kills: number;
  readonly redisKills: number;
  readonly appendfsync: 'everysec' | 'always';
  /**
   * The machine under Redis loses its power with everysec: what is up to a second old is lost. Redis is made to write at
   * once and never to sync for that, and its log is cut: with everysec itself it is not known what is in it, as Redis
   * puts off writing while a sync takes long.
   */
  readonly losesPower: boolean;
  /** Failed jobs that are replayed at a rate; jobs that are parked while workers run them, and while none does. */
  readonly replayedJobs: number;
  readonly ratePerSecond: number;
  readonly runJobs: number;
  readonly restingJobs: number;
}

export interface CrashOutcome {
  readonly plan: CrashPlan;
  readonly tookMs: number;
  /** Kills that hit a replay, or a parking, in its midst. */
  readonly inReplay: number;
  readonly inParking: number;
  readonly replayed: RunVerdict;
  readonly run: RunVerdict;
  /** Jobs that no worker runs, as they were and as they are: byte by byte. */
  readonly resting: { readonly before: QueuePicture; readonly after: QueuePicture };
  readonly last: CrashState;
  /** Times of which Redis has forgotten what happened, or may have. */
  readonly lost: readonly LostTime[];
  /** Jobs that are replayed and fail once more. */
  readonly failsAgain: number;
}

/** Time from a child's start, or from when it is at work, to its kill. */
const MAX_LIFE_MS = 400;
/** Kills that may hit the opening: before the others it moves jobs, however long a busy machine puts that off. */
const IN_OPENING_RATIO = 0.2;
const AT_WORK_WITHIN_MS = 15_000;
/** What kill -9 of Redis may cost with everysec: it answers before it writes while a sync takes long, for 2 s at most. */
const EVERYSEC_MS = 2_000;
const QUEUES = { replayed: 'bull:mail', run: 'bull:send', resting: 'bull:track' } as const;

/** Kills a console, and Redis, again and again in the midst of replays and parkings, and says what came of each job. */
export async function crashWorld(plan: CrashPlan): Promise<CrashOutcome> {
  const startedAt = performance.now();
  const fsync = plan.losesPower ? 'no' : plan.appendfsync;
  const args = ['--appendonly', 'yes', '--appendfsync', fsync, '--auto-aof-rewrite-percentage', '0'];
  const redis = await startRedis({ args });
  const directory = await mkdtemp(join(tmpdir(), 'spillway-crash-'));
  const random = seededRandom(plan.seed).uniform;
  const log = new AofLog(redis);
  const workers: WorkerProcess[] = [];
  let console_: CrashChild | null = null;
  let next = new CrashChild();
  try {
    const ids = await seed(redis, plan);
    const before = await pictureOf(redis.client, QUEUES.resting);
    log.start();
    workers.push(
      ...(await Promise.all(
        (['mail', 'send'] as const).flatMap((queue) =>
          ([5, 6] as const).map((version) => startWorker(workerOf(version, queue, redis.port))),
        ),
      )),
    );
    if (plan.redisKills > 0) await until('the jobs are safe', () => log.ageMs > 2_500);
    const order: CrashOrder = {
      port: redis.port,
      directory,
      replayed: QUEUES.replayed,
      ratePerSecond: plan.ratePerSecond,
      parked: [QUEUES.run, QUEUES.resting],
      isLast: false,
    };
    const lost: LostTime[] = [];
    let [inReplay, inParking] = [0, 0];
    for (let kill = 0; kill < Math.max(plan.kills, plan.redisKills); kill += 1) {
      console_ = next;
      await console_.begin(order);
      next = new CrashChild();
      // Both kinds of kills are spread evenly over the run.
      const isDue = (most: number): boolean =>
        Math.floor(((kill + 1) * most) / Math.max(plan.kills, plan.redisKills)) >
        Math.floor((kill * most) / Math.max(plan.kills, plan.redisKills));
      if (random() >= IN_OPENING_RATIO) await console_.atWork();
      await moment(random() * MAX_LIFE_MS);
      if (isDue(plan.redisKills)) {
        lost.push(await crashRedis(redis, log, plan, random));
        await moment(random() * MAX_LIFE_MS);
      }
      if (console_.hasMoved) inReplay += 1;
      if ((console_.last?.underWay ?? 0) > 0) inParking += 1;
      if (console_.hasEnded) throw new Error('a console has ended by itself');
      await console_.kill();
    }
    console_ = next;
    await console_.begin({ ...order, isLast: true });
    const last = await settled(console_);
    const runsOf = (queue: string): readonly JobRun[] =>
      workers.filter((_, i) => queue === (i < 2 ? 'mail' : 'send')).flatMap(({ started }) => started);
    await until(
      'all of them have run',
      async () => (await isEmpty(redis, QUEUES.run)) && runsOf('send').length >= plan.runJobs,
      {
        withinMs: 120_000,
        everyMs: 200,
      },
    ).catch(() => undefined);
    return {
      plan,
      tookMs: performance.now() - startedAt,
      inReplay,
      inParking,
      replayed: judgeRuns(ids.replayed, runsOf('mail'), lost),
      run: judgeRuns(ids.run, runsOf('send'), lost),
      resting: { before, after: await pictureOf(redis.client, QUEUES.resting) },
      last,
      lost,
      failsAgain: ids.replayed.filter((_, i) => failsAgain(i)).length,
    };
  } finally {
    log.stop();
    await console_?.kill();
    await next.kill();
    await Promise.all(workers.map((worker) => worker.stop()));
    await redis.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

/** A child that has loaded by the time it is needed. */
class CrashChild {
  readonly #process: ChildProcess = fork(packagePath('dist/test/support/crash-child.js'));
  readonly #gone = new Promise<void>((resolve) => this.#process.once('exit', () => resolve()));
  readonly #warm: Promise<unknown>;
  #first: CrashState | null = null;
  last: CrashState | null = null;

  constructor() {
    this.#warm = new Promise((resolve) => this.#process.once('message', resolve));
  }

  async begin(order: CrashOrder): Promise<void> {
    await this.#warm;
    this.#process.on('message', (state) => {
      this.last = state as CrashState;
      this.#first ??= this.last;
    });
    this.#process.send(order);
  }

  /** Waits until it has moved jobs; where it can't, for a while. */
  async atWork(): Promise<void> {
    const isThrough = (): boolean => this.last?.replay?.state === 'done';
    await until('it moves jobs', () => this.hasMoved || this.hasEnded || isThrough(), {
      withinMs: AT_WORK_WITHIN_MS,
      everyMs: 5,
    }).catch(() => undefined);
  }

  /** Has it moved jobs, and is it not through? */
  get hasMoved(): boolean {
    const [then, now] = [this.#first?.replay, this.last?.replay];
    return now?.state === 'running' && now.account.moved > (then?.account.moved ?? 0);
  }

  get hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#gone;
  }
}

/** Sizes of Redis' log as time went by, so that it can be cut to what a machine had on disk some time ago. */
class AofLog {
  readonly #redis: OwnRedis;
  #sizes: { readonly atMs: number; readonly bytes: number }[] = [];
  #timer: NodeJS.Timeout | null = null;

  constructor(redis: OwnRedis) {
    this.#redis = redis;
  }

  start(): void {
    this.#timer = setInterval(() => {
      void this.#note();
    }, 20);
  }

  async #note(): Promise<void> {
    // Before the look, so that all that happened by then is in the file that is seen.
    const atMs = Date.now();
    const { size } = await stat(await this.#path());
    this.#sizes.push({ atMs, bytes: size });
  }

  stop(): void {
    if (this.#timer) clearInterval(this.#timer);
  }

  get ageMs(): number {
    const [first] = this.#sizes;
    return first ? Date.now() - first.atMs : 0;
  }

  /** Cuts the log to what it was at most `ageMs` before `atMs`. @returns the time from which on all is lost. */
  async cut(atMs: number, ageMs: number): Promise<number> {
    const then = this.#sizes.findLast((size) => size.atMs <= atMs - ageMs);
    if (!then) return atMs;
    const path = await this.#path();
    await truncate(path, Math.min(then.bytes, (await stat(path)).size));
    return then.atMs;
  }

  /** What Redis has read from the disk is on the disk. */
  forget(): void {
    this.#sizes = [];
  }

  async #path(): Promise<string> {
    const directory = join(this.#redis.directory, 'appendonlydir');
    const name = (await readdir(directory))
      .filter((file) => file.endsWith('.incr.aof'))
      .sort()
      .at(-1);
    return join(directory, name ?? 'none');
  }
}

async function crashRedis(
  redis: OwnRedis,
  log: AofLog,
  { appendfsync, losesPower }: CrashPlan,
  random: () => number,
): Promise<LostTime> {
  const atMs = Date.now();
  await redis.kill();
  const goneMs = Date.now();
  const fromMs = losesPower ? await log.cut(atMs, random() * 1_000) : atMs - EVERYSEC_MS;
  await redis.restart();
  log.forget();
  // Nothing happened in Redis between its end and its return: what is recorded in that time happened just before.
  return { fromMs: appendfsync === 'always' ? goneMs : fromMs, toMs: Date.now() };
}

async function seed(redis: OwnRedis, plan: CrashPlan) {
  for (const name of ['mail', 'send', 'track']) {
    const queue = new Queue(name, { connection: { port: redis.port } });
    await queue.waitUntilReady();
    const add = async (jobs: number, more: object): Promise<void> => {
      for (let from = 0; from < jobs; from += 1_000)
        await queue.addBulk(
          Array.from({ length: Math.min(1_000, jobs - from) }, (_, i) => ({
            name: 'job',
            data: { i: from + i },
            opts: more,
          })),
        );
    };
    if (name === 'send') await add(plan.runJobs, { removeOnComplete: true });
    if (name === 'track') {
      await add(plan.restingJobs, {});
      await add(plan.restingJobs >> 2, { priority: 3 });
      await add(plan.restingJobs >> 2, { delay: 3_600_000 });
    }
    await queue.close();
  }
  const replayed = Array.from({ length: plan.replayedJobs }, (_, i) => `j${String(i).padStart(7, '0')}`);
  await addEnded(
    redis,
    QUEUES.replayed,
    replayed.map((id, i) => ({
      id,
      attempts: 1,
      data: failsAgain(i) ? { fail: 'still broken' } : {},
      finishedAtMs: 1_000_000 + Math.floor(i / 50),
    })),
  );
  return { replayed, run: Array.from({ length: plan.runJobs }, (_, i) => String(i + 1)) };
}

/** Some jobs fail again at once: they must not be taken a second time. */
function failsAgain(i: number): boolean {
  return i % 7 === 0;
}

function workerOf(version: 5 | 6, queue: 'mail' | 'send', port: number) {
  const isSlow = queue === 'send';
  return {
    version,
    port,
    queue,
    jobMs: isSlow ? 20 : 1,
    // A job whose worker lost Redis is taken back soon, and as often as it takes.
    options: {
      concurrency: isSlow ? 2 : 20,
      lockDuration: 5_000,
      stalledInterval: 1_000,
      maxStalledCount: 1_000,
    },
  };
}

/** Waits for the end of the replay, of all that it moved, and of bringing back. */
async function settled(last: CrashChild): Promise<CrashState> {
  return until(
    'all is brought back and has run',
    () => {
      if (last.hasEnded) throw new Error('the last console has ended');
      const state = last.last;
      if (!state?.replay || state.parkings.length === 0) return null;
      return state.replay.state === 'done' && state.replay.account.toRun === 0 ? state : null;
    },
    { withinMs: 180_000 },
  );
}

async function isEmpty(redis: OwnRedis, queueId: string): Promise<boolean> {
  const [wait, active] = await Promise.all([
    redis.client.llen(`${queueId}:wait`),
    redis.client.llen(`${queueId}:active`),
  ]);
  return wait + active === 0;
}

async function moment(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

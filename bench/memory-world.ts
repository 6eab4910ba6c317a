import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Redis } from 'ioredis';
import type { OwnRedis } from '../drills/own-redis.js';
import { type SeededRandom, seededRandom } from '../test/support/seeded-random.js';

/** A queue of the world, and how its jobs are dealt out. */
interface QueuePlan {
  readonly id: string;
  readonly jobs: number;
  readonly completed: number;
  readonly failed: number;
  readonly delayed: number;
  readonly prioritized: number;
  /** Payloads of each type lie between these, in characters, each order of magnitude as likely as the other. */
  readonly types: readonly { readonly name: string; readonly from: number; readonly to: number }[];
}

/** Sizes fall with the rank to this power: of 1,000 queues the first holds a sixth. */
const ZIPF = 1.1;
const MAX_EVENTS = 300;
const CHUNK_BYTES = 1024 * 1024;
const STACK_LINE = 'at process (file:///srv/app/dist/jobs/deliver-report-to-customer.js:118:23)\\n    ';

/** What the queues of the world are, the same for the same sizes. */
function planQueues(queues: number, jobs: number, random: SeededRandom): readonly QueuePlan[] {
  const weights = Array.from({ length: queues }, (_, i) => 1 / (i + 1) ** ZIPF);
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight, i) => {
    const own = Math.max(1, Math.round((weight / all) * jobs));
    const part = (most: number): number =>
      random.uniform() < 0.5 ? 0 : Math.round(own * most * random.uniform());
    return {
      id: `bull:work-${i}`,
      jobs: own,
      completed: part(0.5),
      failed: part(0.2),
      delayed: part(0.1),
      prioritized: part(0.1),
      types: Array.from({ length: 1 + Math.floor(random.uniform() * 8) }, (_unused, t) => {
        const [a, b] = [random.uniform(), random.uniform()];
        return { name: `type-${t}`, from: lettersAt(Math.min(a, b)), to: lettersAt(Math.max(a, b)) };
      }),
    };
  });
}

/** Payloads lie between 20 and 2,000 characters. */
function lettersAt(ratio: number): number {
  return 20 * 100 ** ratio;
}

/**
 * Fills Redis with queues as BullMQ 6 leaves them: jobs waiting, delayed, prioritized, and retained completed and failed ones
 * with return values and stack traces. Written as plain commands over one socket, in a fraction of the time of addBulk.
 */
export async function fillWorld(redis: OwnRedis, queues: number, jobs: number): Promise<void> {
  const random = seededRandom(11);
  const socket = connect(redis.port, '127.0.0.1');
  // Answers are not looked at: the number of keys is checked at the end.
  socket.resume();
  await once(socket, 'connect');
  let text = '';
  for (const plan of planQueues(queues, jobs, random)) {
    for (const command of commandsOf(plan, random)) {
      text += resp(command);
      if (text.length < CHUNK_BYTES) continue;
      await write(socket, text);
      text = '';
    }
  }
  await write(socket, text + resp(['SET', 'bench:filled', '1']));
  while ((await redis.client.exists('bench:filled')) === 0);
  await redis.client.del('bench:filled');
  socket.destroy();
}

function* commandsOf(plan: QueuePlan, random: SeededRandom): Generator<readonly string[]> {
  const { id } = plan;
  const nowMs = Date.now();
  yield ['HSET', `${id}:meta`, 'opts.maxLenEvents', '10000', 'version', 'bullmq:6.7.0'];
  yield ['SET', `${id}:id`, String(plan.jobs)];
  const ends = [plan.completed, plan.failed, plan.delayed, plan.prioritized];
  const [toCompleted = 0, toFailed = 0, toDelayed = 0, toPrioritized = 0] = ends.map((_, i) =>
    ends.slice(0, i + 1).reduce((sum, count) => sum + count, 0),
  );
  for (let n = 1; n <= plan.jobs; n++) {
    const job = String(n);
    // Later types come later, so that places in a list are not alike.
    const drift = random.uniform() < 0.5 ? random.uniform() : n / (plan.jobs + 1);
    const type = plan.types[Math.floor(drift * plan.types.length)] ?? random.pick(plan.types);
    const characters = Math.round(type.from * (type.to / type.from) ** random.uniform());
    const fields = [
      ...['name', type.name, 'data', `{"pad":"${'x'.repeat(characters)}"}`],
      ...['opts', '{"attempts":3,"backoff":{"type":"exponential","delay":1000}}'],
      ...['timestamp', String(nowMs - 3_600_000 + n), 'delay', '0', 'priority', '0'],
    ];
    const ran = [
      'processedOn',
      String(nowMs - 9_000),
      'finishedOn',
      String(nowMs - 8_000),
      'ats',
      '1',
      'atm',
      '1',
    ];
    if (n <= toCompleted) {
      fields.push(
        ...ran,
        'returnvalue',
        `{"ok":true,"rows":"${'r'.repeat(Math.round(random.exponential(60)))}"}`,
      );
      yield ['ZADD', `${id}:completed`, String(nowMs - 8_000 - n), job];
    } else if (n <= toFailed) {
      const lines = 2 + Math.floor(random.uniform() * 9);
      fields.push(
        ...ran,
        'failedReason',
        'ETIMEDOUT',
        'stacktrace',
        `["Error: ETIMEDOUT\\n${STACK_LINE.repeat(lines)}"]`,
      );
      yield ['ZADD', `${id}:failed`, String(nowMs - 8_000 - n), job];
    } else if (n <= toDelayed) yield ['ZADD', `${id}:delayed`, String((nowMs + 3_600_000) * 0x1000 + n), job];
    else if (n <= toPrioritized) yield ['ZADD', `${id}:prioritized`, String(3 * 0x100000000 + n), job];
    else yield ['LPUSH', `${id}:wait`, job];
    yield ['HSET', `${id}:${job}`, ...fields];
    if (plan.jobs - n < MAX_EVENTS)
      yield ['XADD', `${id}:events`, '*', 'event', 'added', 'jobId', job, 'name', type.name];
  }
}

function resp(command: readonly string[]): string {
  return `*${command.length}\r\n${command.map((part) => `$${part.length}\r\n${part}\r\n`).join('')}`;
}

async function write(socket: Socket, text: string): Promise<void> {
  if (!socket.write(text, 'latin1')) await once(socket, 'drain');
}

/** The truth: bytes of every key by queue (by its id), and of all together. MEMORY USAGE with all fields counted. */
export async function heldByQueue(
  port: number,
): Promise<{ readonly all: number; readonly byQueue: ReadonlyMap<string, number> }> {
  const client = new Redis(port, '127.0.0.1');
  const byQueue = new Map<string, number>();
  let all = 0;
  let cursor = '0';
  do {
    const [next, keys] = await client.scan(cursor, 'COUNT', 5_000);
    cursor = next;
    const pipeline = client.pipeline(keys.map((key) => ['memory', 'USAGE', key, 'SAMPLES', '0']));
    const sizes = (await pipeline.exec()) ?? [];
    keys.forEach((key, i) => {
      const bytes = Number(sizes[i]?.[1] ?? 0);
      const id = key.split(':', 2).join(':');
      all += bytes;
      byQueue.set(id, (byQueue.get(id) ?? 0) + bytes);
    });
  } while (cursor !== '0');
  client.disconnect();
  return { all, byQueue };
}

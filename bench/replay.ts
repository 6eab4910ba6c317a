import { startRedis } from '../drills/own-redis.js';
import { millionRows } from './replay-million.js';
import { medianOf, type Row, type Say, time } from './row.js';
import { seedFailed, untilMoved } from './seed.js';
import { prefer, SLOW_MS, STRETCH, type Stalls, watchStalls } from './watch-stalls.js';
import { during, startBullBoard, startReplay, startSeeing } from './world.js';

/** By turns, so that what else the machine does hits both alike. */
const TURNS = 5;

/** Who brings failed jobs back: bull-board's "retry all", or a replay at so many a second. */
type Contender = 'bull-board' | { readonly perSecond: number };

/** @param isQuick a tenth of the size */
export async function replayRows(isQuick: boolean, say: Say): Promise<readonly Row[]> {
  const share = isQuick ? 0.1 : 1;
  const stalls = await stallRows(100_000 * share, isQuick ? 1 : TURNS, say);
  return [...stalls, ...(await millionRows(1_000_000 * share, say))];
}

/** bull-board's "retry all" beside a replay: of the same jobs at 5,000 a second, and at the pace of the peer. */
async function stallRows(jobs: number, turns: number, say: Say): Promise<readonly Row[]> {
  const [theirs, atFiveThousand, atTheirPace]: [Stalls[], Stalls[], Stalls[]] = [[], [], []];
  const run = async (who: Contender, runs: Stalls[]): Promise<void> => {
    const stalls = await stallsOf(who, jobs);
    runs.push(stalls);
    say(`${JSON.stringify(who)} ${JSON.stringify(stalls)}`);
  };
  for (let turn = 0; turn < turns; turn += 1) {
    await run('bull-board', theirs);
    await run({ perSecond: 5_000 }, atFiveThousand);
    const pace = (jobs * 1000) / (theirs.at(-1)?.tookMs ?? 1);
    await run({ perSecond: Math.min(20_000, Math.round(pace)) }, atTheirPace);
  }
  return [
    ...rowsOf('5000', `${jobs} failed jobs, ours at 5,000/s`, atFiveThousand, theirs),
    ...rowsOf('peer-pace', `${jobs} failed jobs, ours at the pace of the peer`, atTheirPace, theirs),
    longestCallRow(turns * 2, [...atFiveThousand, ...atTheirPace], theirs),
  ];
}

/** What bringing back `jobs` failed jobs does to other clients of Redis. */
function stallsOf(who: Contender, jobs: number): Promise<Stalls> {
  return during(startRedis(), async (redis) => {
    await seedFailed(redis, jobs);
    const watched = (pid: number, begin: () => Promise<unknown>): Promise<Stalls> => {
      prefer(pid);
      return watchStalls(redis, async () => {
        await begin();
        await untilMoved(redis);
      });
    };
    const stalls = await (who === 'bull-board'
      ? during(startBullBoard(redis, 1), ({ pid, url }) => watched(pid, () => retryAll(url)))
      : during(startSeeing(redis, 1), (own) => watched(own.pid, () => startReplay(own, who.perSecond))));
    const waiting = await redis.client.llen('bull:queue-0:wait');
    if (waiting !== jobs) throw new Error(`${waiting} of ${jobs} jobs are back`);
    return stalls;
  });
}

async function retryAll(board: string): Promise<void> {
  const answer = await fetch(`${board}/queue-0/retry/failed`, { method: 'PUT' });
  if (!answer.ok) throw new Error(`bull-board answers ${answer.status}: ${await answer.text()}`);
}

function rowsOf(
  id: string,
  what: string,
  ours: readonly Stalls[],
  theirs: readonly Stalls[],
): readonly Row[] {
  const row = (name: string, which: string, of: (run: Stalls) => number) => ({
    id: `${id}.${name}`,
    what: `${what}: ${which}, median of ${ours.length} runs`,
    unit: 'ms',
    value: medianOf(ours.map(of)),
    peer: medianOf(theirs.map(of)),
    repeats: ours.map((run, i) => of(run) / of(theirs[i] ?? run)),
  });
  const ratio = (...args: Parameters<typeof row>): Row => ({ ...row(...args), kind: 'ratio', limit: 1 });
  const unexplained = 'that an idle Redis does not suffer at the same moment';
  const information = (...args: Parameters<typeof row>): Row => ({ ...row(...args), kind: 'time' });
  const stretches = (runs: readonly Stalls[]): readonly number[] => runs.flatMap((run) => run.worstsMs);
  return [
    {
      ...ratio('stretch-worst', '', (run) => medianOf(run.worstsMs)),
      what: `${what}: worst of ${STRETCH} waits of another client in a row, median of all such stretches`,
      value: medianOf(stretches(ours)),
      peer: medianOf(stretches(theirs)),
    },
    ratio('p99', 'p99 of its waits', (run) => run.p99Ms),
    ratio('own-worst', `worst wait ${unexplained}`, (run) => run.ownWorstMs),
    ratio('own-p99', `p99 of waits ${unexplained}`, (run) => run.ownP99Ms),
    information(
      'worst',
      'worst wait, the longer it takes the more of it the doing of the machine',
      (run) => run.worstMs,
    ),
    information('idle-worst', 'worst wait for an idle Redis beside it', (run) => run.idleWorstMs),
    { ...information('took', 'time that all took', (run) => run.tookMs / 1000), unit: 's' },
  ];
}

/** By Redis' own clock: in it is what the machine took from Redis. */
function longestCallRow(runs: number, ours: readonly Stalls[], theirs: readonly Stalls[]): Row {
  const longest = (all: readonly Stalls[]) => {
    const [worst] = all.flatMap((run) => run.slowest).sort((a, b) => b.ms - a.ms);
    const above = all.reduce((sum, run) => sum + run.above5Ms, 0);
    return {
      ms: worst?.ms ?? SLOW_MS,
      detail: `${worst?.command ?? `none above ${SLOW_MS} ms`}, ${above} above 5 ms`,
    };
  };
  const [own, peer] = [longest(ours), longest(theirs)];
  return time(
    'longest-call',
    `longest call of ours in Redis by its own clock, worst of ${runs} runs`,
    'ms',
    own.ms,
    { peer: peer.ms, detail: own.detail, peerDetail: peer.detail },
  );
}

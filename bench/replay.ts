import { millionRows } from './replay-million.js';
import { type Contender, stallsOf } from './replay-stall.js';
import type { Row } from './report.js';
import type { Stalls } from './watch-stalls.js';
import { quantile } from './world.js';

/** By turns, so that what else the machine does hits both alike. */
const TURNS = 3;

/** Rows of RESULTS-replay.md. @param isQuick a tenth of the size. */
export async function replayRows(isQuick: boolean, say: (line: string) => void): Promise<readonly Row[]> {
  const share = isQuick ? 0.1 : 1;
  const stalls = await stallRows(100_000 * share, isQuick ? 1 : TURNS, say);
  return [...stalls, ...(await millionRows(1_000_000 * share, say))];
}

/** bull-board's "retry all" beside a replay: of the same jobs at 5,000 a second, and at the pace of the peer. */
async function stallRows(jobs: number, turns: number, say: (line: string) => void): Promise<readonly Row[]> {
  const theirs: Stalls[] = [];
  const atFiveThousand: Stalls[] = [];
  const atTheirPace: Stalls[] = [];
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
    ...rowsOf(`${jobs} failed jobs, ours at 5,000/s`, atFiveThousand, theirs),
    ...rowsOf(`${jobs} failed jobs, ours at the pace of the peer`, atTheirPace, theirs),
    {
      what: `longest call of ours in Redis by its own clock, worst of ${turns * 2} runs`,
      spillway: slowest([...atFiveThousand, ...atTheirPace]),
      peer: slowest(theirs),
      ratio: '',
      wanted: '≤ 5 ms, but for what the machine takes',
      isMet: null,
    },
  ];
}

function rowsOf(what: string, ours: readonly Stalls[], theirs: readonly Stalls[]): readonly Row[] {
  const paceOf = (runs: readonly Stalls[]): string =>
    `${(median(runs, (run) => run.tookMs) / 1000).toFixed(1)} s, load ${median(runs, (run) => run.load).toFixed(1)}`;
  const row = (name: string, of: (run: Stalls) => number): Row => {
    const [own, peer] = [median(ours, of), median(theirs, of)];
    return {
      what: `${what}: ${name}, median of ${ours.length} runs`,
      spillway: `${own.toFixed(2)} ms`,
      peer: `${peer.toFixed(2)} ms`,
      ratio: (own / peer).toFixed(2),
      wanted: '≤ 1',
      isMet: own <= peer,
    };
  };
  return [
    {
      what: `${what}: time that all took`,
      spillway: paceOf(ours),
      peer: paceOf(theirs),
      ratio: '',
      wanted: '',
      isMet: null,
    },
    row('worst wait of another client', (run) => run.worstMs),
    row('p99 of its waits', (run) => run.p99Ms),
    row('worst wait that an idle Redis does not suffer at the same moment', (run) => run.ownWorstMs),
    row('p99 of those', (run) => run.ownP99Ms),
    { ...row('worst wait for an idle Redis beside it', (run) => run.idleWorstMs), wanted: '', isMet: null },
  ];
}

function median(runs: readonly Stalls[], of: (run: Stalls) => number): number {
  return quantile(runs.map(of), 0.5);
}

function slowest(runs: readonly Stalls[]): string {
  const [worst] = runs.flatMap((run) => run.slowest).sort((a, b) => b.ms - a.ms);
  const above = runs.reduce((sum, run) => sum + run.above5Ms, 0);
  return worst ? `${worst.ms.toFixed(1)} ms (${worst.command}), ${above} above 5 ms` : 'none above 0.5 ms';
}

import type { Row, Say } from './row.js';

/** What is measured in one run, and stands in one table. */
export interface Group {
  /** Asked for by `--<name>`. */
  readonly name: string;
  readonly title: string;
  /** Who the peer is. */
  readonly peer: string;
  /** What stands under the table. */
  readonly notes?: string;
  /** @param isQuick a tenth of the size, to see that it runs */
  measure(isQuick: boolean, say: Say): Promise<readonly Row[]>;
}

const CRASH_NOTES = `Who counts: BullMQ 5 and 6 workers write down each run of each job; the jobs at rest are compared byte by byte.

What can be promised:
- The console is killed, Redis is not: nothing is lost, nothing is run twice.
- Redis with \`appendfsync always\`: the same. What it has answered is on its disk, and a call whose answer was lost is made again under its own number.
- Redis with \`everysec\`, the process killed: what it has answered is with the kernel, as long as it does not put off writing (up to 2 s while a sync takes long). Nothing is lost; a run in those 2 s may be forgotten by Redis, and is then made again.
- Redis with \`everysec\` and a machine that loses its power: up to a second is forgotten, moves and runs alike. Nothing is lost; a job whose move and run were both forgotten stands in the failed set again and is moved again: nobody can know that it has run. For this the log of Redis is cut to what it was up to a second before.
- A worker that loses Redis in the midst of a job: BullMQ gives the job to another one (\`stalled\`). That is its promise of at least once, and not ours to change.`;

/** In the order of RESULTS.md, each loaded when it is measured; the first is what `npm run bench` measures. */
export const GROUPS: readonly [Group, ...Group[]] = [
  {
    name: 'console',
    title: 'Console',
    peer: 'The peer is @bull-board/api over Hono, serving the same queues from the same Redis in the same run.',
    measure: async (isQuick, say) => (await import('./console.js')).consoleRows(isQuick, say),
  },
  {
    name: 'replay',
    title: 'Replays',
    peer: 'The peer is "retry all" of @bull-board/api, on the same jobs. Redis and the prober run ahead of all else: what the machine takes is neither ours nor theirs.',
    measure: async (isQuick, say) => (await import('./replay.js')).replayRows(isQuick, say),
  },
  {
    name: 'agents',
    title: 'Agents',
    peer: 'The peer is the same workers without the agent.',
    async measure(isQuick) {
      const { agentRows } = await import('./agent-cost.js');
      const { everydayRow, steadyRow } = await import('./healthy.js');
      const minutes = isQuick ? ([0.5, 0.5] as const) : ([10, 5] as const);
      return [...(await agentRows(isQuick)), await steadyRow(minutes[0]), await everydayRow(minutes[1])];
    },
  },
  {
    name: 'memory',
    title: 'Where the memory is',
    peer: 'The peer is redis-cli on the same Redis in the same run.',
    measure: async (isQuick, say) => (await import('./memory.js')).memoryRows(isQuick, say),
  },
  {
    name: 'history',
    title: 'History',
    peer: 'No peer keeps a history.',
    measure: async (isQuick, say) => (await import('./history.js')).historyRows(isQuick, say),
  },
  {
    name: 'alerts',
    title: 'Alert rules',
    peer: 'There is no peer.',
    measure: async (isQuick, say) => (await import('./alert-rules.js')).alertRows(isQuick, say),
  },
  {
    name: 'hostile',
    title: 'Hostile input',
    peer: 'There is no peer.',
    measure: async (isQuick, say) => (await import('./hostile.js')).hostileRows(isQuick, say),
  },
  {
    name: 'crash',
    title: 'Kills',
    peer: 'There is no peer: its column says what is not our doing.',
    notes: CRASH_NOTES,
    measure: async (isQuick, say) => (await import('./crash.js')).crashRows(isQuick, say),
  },
];

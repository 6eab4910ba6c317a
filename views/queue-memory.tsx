import type { FC } from 'hono/jsx';
import { ShareBar, type ShareBarProps } from './drawn/bars.js';
import { HoldingTable, type HoldingTableProps } from './holding.js';

export interface CountProps {
  readonly isRunning: boolean;
  readonly countedJobs: number;
  readonly totalJobs: number;
  /** "1,204 of 8,000 jobs, about 40 s left" */
  readonly text: string;
  /** Why it can't be counted now, or why a count ended; empty mostly. */
  readonly problem: string;
  /** Where it is started and stopped; null where the role may not, or another queue is counted. */
  readonly action: string | null;
}

export interface QueueMemoryProps {
  readonly bar: ShareBarProps | null;
  /** "21 MB ± 0.4 MB, by 900 of 50,000 jobs" */
  readonly headline: string;
  readonly tables: readonly HoldingTableProps[];
  readonly count: CountProps;
}

/** What one queue holds, and how to know it exactly. */
export const QueueMemorySection: FC<QueueMemoryProps> = ({ bar, headline, tables, count }) => (
  <section class="panel holders" id="queue-memory" aria-labelledby="queue-memory-title">
    <div class="queue-memory-head">
      <h2 id="queue-memory-title">Memory</h2>
      <p>{headline}</p>
    </div>
    {bar ? <ShareBar {...bar} /> : null}
    <Count {...count} />
    <div class="holding-tables">
      {tables.map((table) => (
        <HoldingTable {...table} />
      ))}
    </div>
  </section>
);

const Count: FC<CountProps> = ({ isRunning, countedJobs, totalJobs, text, problem, action }) => (
  <div class="queue-count">
    {action ? (
      <form
        method="post"
        action={isRunning ? `${action}/stop` : action}
        hx-post={isRunning ? `${action}/stop` : action}
        hx-target="#queue-memory"
        hx-swap="outerMorph"
      >
        <button type="submit" class="button">
          {isRunning ? 'Stop counting' : 'Count exactly'}
        </button>
      </form>
    ) : null}
    {isRunning ? (
      <progress
        max={String(Math.max(1, totalJobs))}
        value={String(countedJobs)}
        aria-label="Jobs that are counted"
      ></progress>
    ) : null}
    <p class="queue-count-text">{text}</p>
    {problem ? <p class="queue-count-problem">{problem}</p> : null}
  </div>
);

import type { FC } from 'hono/jsx';
import { formatCount, formatThings } from '../server/model/format.js';
import type { WorkerState } from '../server/model/worker.js';
import { ActHeading, BulkBar, CheckHeading } from './controls.js';
import { SignalMark } from './docs-mark.js';
import { WorkerRow, type WorkerRowProps } from './worker-row.js';
import { slotsInWords, verdictsInWords, workerWordsOf } from './worker-words.js';

/** Workers under one heading: those of a queue, a host, or of one status. */
export interface WorkerGroup {
  /** Of its row. */
  readonly id: string;
  readonly name: string;
  readonly href: string | null;
  readonly workers: readonly WorkerState[];
  /** What can be done with all of them; null: nothing, or this role may not. */
  readonly action: { readonly label: string; readonly href: string } | null;
}

export interface WorkerTableProps {
  /** In the order in which they stand: a heading, its workers, the next heading. */
  readonly lines: readonly (WorkerRowProps | WorkerGroup)[];
  readonly canAct: boolean;
  /** How many workers there are beyond those that are shown. */
  readonly beyond: number;
}

const BULK = [
  { action: 'worker.concurrency', label: 'Concurrency' },
  { action: 'worker.pause', label: 'Pause' },
  { action: 'worker.resume', label: 'Resume' },
  { action: 'worker.revert', label: 'Reset to code' },
] as const;

const COLUMNS: readonly { kind: string; label: string; hint: string; signal?: string }[] = [
  { kind: 'state', label: 'Status', hint: 'What is worst first' },
  { kind: 'name', label: 'Worker', hint: 'Its name, host and labels' },
  {
    kind: 'slots',
    label: 'Slots',
    hint: 'A cell each: filled by how long its job runs',
    signal: 'queue_worker_slots_busy',
  },
  {
    kind: 'rate',
    label: 'Done /s',
    hint: 'Jobs finished a second; the last minute as a line',
    signal: 'queue_departures_per_second',
  },
  {
    kind: 'strip',
    label: 'Run time',
    hint: 'Median of its most frequent job type, beside those of its peers',
  },
  { kind: 'lag', label: 'Loop lag', hint: '99th percentile of how late its event loop is' },
];

/** Workers, worst first; on a phone each is a card. */
export const WorkerTable: FC<WorkerTableProps> = ({ lines, canAct, beyond }) => (
  <>
    <form class="worker-form" action="/action" method="get" data-bulk="">
      {canAct ? <BulkBar acts={BULK} /> : null}
      <table class="queue-table worker-table">
        <thead>
          <tr>
            {canAct ? <CheckHeading what="workers" /> : null}
            {COLUMNS.map(({ kind, label, hint, signal }) => (
              <th
                scope="col"
                class={`cell-${kind}${kind === 'lag' || kind === 'rate' ? ' number' : ''}`}
                title={hint}
              >
                {label}
                <SignalMark name={signal} />
              </th>
            ))}
            {canAct ? <ActHeading /> : null}
          </tr>
        </thead>
        <tbody id="worker-rows" data-list="workers">
          {lines.map((line) => (
            <WorkerLine line={line} canAct={canAct} />
          ))}
        </tbody>
      </table>
    </form>
    {lines.length === 0 ? <p class="empty">No worker is connected.</p> : null}
    {beyond > 0 ? (
      <p class="hint">{formatCount(beyond)} more, in less trouble: search for them, or GET …/workers.</p>
    ) : null}
  </>
);

export const WorkerLine: FC<{ readonly line: WorkerRowProps | WorkerGroup; readonly canAct: boolean }> = ({
  line,
  canAct,
}) => ('worker' in line ? <WorkerRow {...line} /> : <GroupRow group={line} canAct={canAct} />);

const GroupRow: FC<{ readonly group: WorkerGroup; readonly canAct: boolean }> = ({ group, canAct }) => {
  const isWell = group.workers.every((worker) => workerWordsOf(worker).state === 'calm');
  // Under a status its own name says the rest.
  const isOneStatus = group.workers.every((worker) => workerWordsOf(worker).word === group.name);
  const slots = slotsInWords(group.workers);
  return (
    <tr id={group.id} class="worker-group">
      <th scope="rowgroup" colspan={COLUMNS.length + (canAct ? 1 : 0)}>
        {group.href === null ? <strong>{group.name}</strong> : <a href={group.href}>{group.name}</a>}{' '}
        <span class={isWell ? 'muted' : 'worker-group-trouble'}>
          {isOneStatus ? formatThings(group.workers.length, 'worker') : verdictsInWords(group.workers)}
        </span>
        {slots === '' ? null : <span class="muted"> · {slots}</span>}
      </th>
      {canAct ? (
        <td class="cell-flow">
          {group.action ? (
            <a class="small-button" href={group.action.href} data-drawer="">
              {group.action.label}
              <span class="visually-hidden"> of {group.name}</span>
            </a>
          ) : null}
        </td>
      ) : null}
    </tr>
  );
};

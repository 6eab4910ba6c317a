import type { FC } from 'hono/jsx';
import { BulkBar } from './bulk-bar.js';
import { evenly } from './drawn/geometry.js';
import { Sparkline } from './drawn/sparkline.js';
import { Icon, type IconName } from './icon.js';
import { type Setting, SettingLink } from './setting.js';
import type { State } from './state.js';

/** Of the values alone: one a second, the last of now. */
const TREND = { fromMs: 0, toMs: 1 };

export interface WorkerRowProps {
  readonly id: string;
  readonly label: string;
  /** Version and process, small. */
  readonly about: string;
  /** Its queue, where the page is not that queue's own. */
  readonly queue: { readonly text: string; readonly href: string } | null;
  readonly state: State;
  readonly icon: IconName;
  readonly verdict: string;
  readonly sentence: string;
  /** What drags its peers; empty mostly. */
  readonly outlier: string;
  readonly hasAgent: boolean;
  readonly busy: string;
  readonly slots: Setting;
  /** "deployed 5" where an order has changed it. */
  readonly deployed: string;
  readonly trend: readonly number[];
  readonly finished: string;
  readonly failed: string;
  readonly run: string;
  readonly waited: string;
  readonly loop: string;
  readonly memory: string;
  /** Who ordered what, why and until when. */
  readonly orders: readonly string[];
  readonly actions: readonly { readonly label: string; readonly href: string }[];
  readonly checkbox: { readonly value: string; readonly label: string } | null;
}

export interface WorkerTableProps {
  readonly rows: readonly WorkerRowProps[];
  readonly hasQueue: boolean;
  readonly canAct: boolean;
  readonly more: string;
  readonly empty: string;
}

const BULK = [
  { action: 'worker.concurrency', label: 'Concurrency' },
  { action: 'worker.pause', label: 'Take out of the pool' },
  { action: 'worker.resume', label: 'Put back' },
  { action: 'worker.revert', label: 'Revert' },
] as const;

/** Workers, worst first; on a phone each is a card. */
export const WorkerTable: FC<WorkerTableProps> = ({ rows, hasQueue, canAct, more, empty }) => (
  <>
    <form class="worker-form" action="/action" method="get" data-bulk="">
      {canAct ? <BulkBar acts={BULK} /> : null}
      <table class="queue-table worker-table">
        <thead>
          <tr>
            {canAct ? (
              <th class="cell-check" scope="col">
                <label class="check">
                  <input type="checkbox" data-check-all="" aria-label="Select all workers shown" />
                </label>
              </th>
            ) : null}
            <th scope="col">Worker</th>
            {hasQueue ? <th scope="col">Queue</th> : null}
            <th scope="col" class="cell-verdict">
              State
            </th>
            <th scope="col" class="number">
              Busy
            </th>
            <th scope="col" class="number">
              Slots
            </th>
            <th scope="col" class="number" title="Jobs finished a second, the last minute as a line">
              Done /s
            </th>
            <th scope="col" class="number">
              Failed /s
            </th>
            <th scope="col" class="number" title="Median and 99th percentile of its most frequent job type">
              Run time
            </th>
            <th scope="col" class="number" title="Median time that jobs waited before it started them">
              Waited
            </th>
            <th scope="col" class="number" title="99th percentile of how late its event loop is">
              Loop
            </th>
            <th scope="col" class="number">
              Memory
            </th>
            {canAct ? (
              <th scope="col" class="cell-flow">
                <span class="visually-hidden">Act</span>
              </th>
            ) : null}
          </tr>
        </thead>
        <tbody id="worker-rows" data-list="workers">
          {rows.map((row) => (
            <WorkerRow {...row} />
          ))}
        </tbody>
      </table>
    </form>
    {rows.length === 0 ? <p class="empty">{empty}</p> : null}
    {more ? <p class="hint">{more}</p> : null}
  </>
);

export const WorkerRow: FC<WorkerRowProps> = (row) => (
  <tr id={row.id} class={`queue worker state-${row.state}`}>
    {row.checkbox ? (
      <td class="cell-check">
        <label class="check">
          <input type="checkbox" name="onWorker" value={row.checkbox.value} aria-label={row.checkbox.label} />
        </label>
      </td>
    ) : null}
    <th scope="row" class="cell-name">
      <span class="worker-label">{row.label}</span>
      <span class="place">{row.about}</span>
    </th>
    {row.queue ? (
      <td class="cell-queue" data-label="Queue">
        <a href={row.queue.href}>{row.queue.text}</a>
      </td>
    ) : null}
    <td class="cell-verdict" data-label="State">
      <span class={`state-word state-${row.state}`}>
        <Icon name={row.icon} /> {row.verdict}
      </span>
      <span class="worker-why">{row.sentence}</span>
      {row.outlier ? <span class="worker-why worker-outlier">{row.outlier}</span> : null}
      {row.orders.map((order) => (
        <span class="worker-why worker-order">{order}</span>
      ))}
    </td>
    <td class="number" data-label="Busy">
      {row.busy}
    </td>
    <td class="number cell-setting" data-label="Slots">
      <SettingLink {...row.slots} />
      {row.deployed ? <span class="place">{row.deployed}</span> : null}
    </td>
    <td class="number cell-depth" data-label="Done /s">
      <span class="number">{row.finished}</span>
      <Sparkline title="Done a second, lately" unit="jobs" points={evenly(row.trend, TREND)} span={TREND} />
    </td>
    <td class="number" data-label="Failed /s">
      {row.failed}
    </td>
    <td class="number" data-label="Run time">
      {row.run}
    </td>
    <td class="number" data-label="Waited">
      {row.waited}
    </td>
    <td class="number" data-label="Loop">
      {row.loop}
    </td>
    <td class="number" data-label="Memory">
      {row.memory}
    </td>
    {row.actions.length > 0 || row.checkbox ? (
      <td class="cell-flow">
        {row.actions.map((action) => (
          <a
            class="small-button"
            href={action.href}
            data-drawer=""
            aria-label={`${action.label} ${row.label}`}
          >
            {action.label}
          </a>
        ))}
      </td>
    ) : null}
  </tr>
);

import type { FC } from 'hono/jsx';
import type { State } from './band.js';
import { Icon, type IconName } from './icon.js';
import { Sparkline } from './sparkline.js';

/** A value that an action sets: shown, and where the role allows it a way to change it. */
export interface Setting {
  readonly value: string;
  readonly label: string;
  readonly href: string | null;
}

export interface QueueRowProps {
  readonly id: string;
  readonly queueId: string;
  readonly name: string;
  /** Prefix or Redis, where the name alone does not say it. */
  readonly place: string | null;
  readonly href: string;
  readonly state: State;
  readonly icon: IconName;
  readonly verdict: string;
  /** Title of the worst finding about it; empty: none. */
  readonly problem: string;
  /** How many of its job types are in trouble, and which; null: none. */
  readonly types: { readonly count: string; readonly text: string; readonly href: string } | null;
  readonly depth: string;
  readonly active: string;
  readonly trend: string;
  readonly arrivals: string;
  readonly departures: string;
  readonly oldest: string;
  readonly drain: string;
  readonly memory: string;
  readonly memoryShare: string;
  readonly failed: string;
  readonly workers: string;
  readonly concurrency: Setting;
  readonly rateLimit: Setting;
  /** Pause or resume. */
  readonly flow: { readonly label: string; readonly href: string } | null;
  /** null: nothing can be done with it by this role. */
  readonly checkbox: { readonly value: string; readonly label: string } | null;
}

export const QueueRow: FC<QueueRowProps> = (row) => (
  <tr id={row.id} class={`queue state-${row.state}`}>
    {row.checkbox ? (
      <td class="cell-check">
        <label class="check">
          <input type="checkbox" name="on" value={row.checkbox.value} aria-label={row.checkbox.label} />
        </label>
      </td>
    ) : null}
    <th scope="row" class="cell-name">
      <a href={row.href} title={row.queueId}>
        {row.name}
      </a>
      {row.place ? <span class="place">{row.place}</span> : null}
    </th>
    <td class="cell-state" data-label="State">
      <span class={`state-word state-${row.state}`} title={row.problem || undefined}>
        <Icon name={row.icon} /> {row.verdict}
      </span>
      {row.types ? (
        <a class="type-badge" href={row.types.href} title={row.types.text} aria-label={row.types.text}>
          <Icon name="rate-limited" /> {row.types.count}
          <span class="type-badge-words"> in trouble</span>
        </a>
      ) : null}
    </td>
    <td class="cell-depth" data-label="Waiting">
      <Sparkline points={row.trend} />
      <span class="number">{row.depth}</span>
    </td>
    <td class="number" data-label="Active">
      {row.active}
    </td>
    <td class="number" data-label="In">
      {row.arrivals}
    </td>
    <td class="number" data-label="Out">
      {row.departures}
    </td>
    <td class="number" data-label="Oldest">
      {row.oldest}
    </td>
    <td class="number" data-label="Empty in">
      {row.drain}
    </td>
    <td class="number cell-memory" data-label="Memory">
      {row.memory} <span class="share">{row.memoryShare}</span>
    </td>
    <td class="number" data-label="Failed">
      {row.failed}
    </td>
    <td class="number" data-label="Workers">
      {row.workers}
    </td>
    <SettingCell setting={row.concurrency} label="At once" />
    <SettingCell setting={row.rateLimit} label="Rate limit" />
    {row.flow ? (
      <td class="cell-flow">
        <a
          class="small-button"
          href={row.flow.href}
          data-drawer=""
          aria-label={`${row.flow.label} ${row.name}`}
        >
          {row.flow.label}
        </a>
      </td>
    ) : null}
  </tr>
);

const SettingCell: FC<{ readonly setting: Setting; readonly label: string }> = ({ setting, label }) => (
  <td class="number cell-setting" data-label={label}>
    {setting.href === null ? (
      setting.value
    ) : (
      <a class="setting" href={setting.href} data-drawer="" aria-label={setting.label}>
        {setting.value} <Icon name="edit" />
      </a>
    )}
  </td>
);

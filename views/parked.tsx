import type { FC } from 'hono/jsx';
import { Icon, type IconName } from './icon.js';

export interface ParkedRowProps {
  readonly what: string;
  readonly when: string;
  /** By whom and why. */
  readonly why: string;
  readonly state: string;
  readonly icon: IconName;
  /** Why it rests or waits; empty mostly. */
  readonly because: string;
  readonly parked: string;
  readonly freed: string;
  readonly back: string;
  readonly remaining: string;
  /** The drawer that brings it back; null: nothing is left, or not for this role. */
  readonly restoreHref: string | null;
  /** The export; null: not for this role. */
  readonly exportHref: string | null;
}

/** No rows: then only the place of the table is there. */
export interface ParkedProps {
  readonly rows: readonly ParkedRowProps[];
  /** Disk taken, of what may be taken. */
  readonly disk: string;
}

/** What was taken out of a queue to disk, and how much of it is back. */
export const Parked: FC<ParkedProps> = ({ rows, disk }) =>
  rows.length === 0 ? (
    <section id="parked" hidden />
  ) : (
    <section id="parked" class="panel" aria-labelledby="parked-title">
      <h2 id="parked-title">Parked jobs</h2>
      <p class="muted">{disk}</p>
      <table class="job-table">
        <thead>
          <tr>
            <th scope="col">Jobs</th>
            <th scope="col">State</th>
            <th scope="col">Parked</th>
            <th scope="col">Freed</th>
            <th scope="col">Back</th>
            <th scope="col">On disk</th>
            <th scope="col">
              <span class="visually-hidden">What can be done</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr>
              <td data-label="Jobs">
                {row.what} <span class="muted">{row.when}</span>
                <br />
                <span class="muted">{row.why}</span>
              </td>
              <td data-label="State">
                <Icon name={row.icon} /> {row.state}
                {row.because ? <p class="muted">{row.because}</p> : null}
              </td>
              <td data-label="Parked">{row.parked}</td>
              <td data-label="Freed">{row.freed}</td>
              <td data-label="Back">{row.back}</td>
              <td data-label="On disk">{row.remaining}</td>
              <td data-label="What can be done">
                {row.restoreHref === null ? null : <a href={row.restoreHref}>Bring back</a>}{' '}
                {row.exportHref === null ? null : <a href={row.exportHref}>Export</a>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );

import type { FC } from 'hono/jsx';
import { formatBytes, formatEstimate, formatRatio } from '../server/model/format.js';
import type { Bytes } from '../server/model/memory.js';
import type { Tone } from './drawn/bars.js';
import { UNKNOWN } from './words.js';

/** One line of a table of holders. */
export interface HoldingRow {
  readonly name: string;
  /** null: not known. */
  readonly held: Bytes | null;
  /** As in the bar beside the table. */
  readonly tone?: Tone | null;
  /** A part of the row above it. */
  readonly isPart?: boolean;
  readonly href?: string | null;
  readonly note?: string;
}

export interface HoldingTableProps {
  readonly id: string;
  readonly title: string;
  /** What the first column names. */
  readonly heading: string;
  /** What shares are of, in words and in bytes. */
  readonly shareOf: string;
  readonly ofBytes: number;
  readonly rows: readonly HoldingRow[];
  /** Said where there are no rows. */
  readonly empty: string;
}

/** Who holds how much, with the error to reckon with. */
export const HoldingTable: FC<HoldingTableProps> = (table) => (
  <section class="holding-section" id={table.id} aria-labelledby={`${table.id}-title`}>
    <h3 id={`${table.id}-title`}>{table.title}</h3>
    {table.rows.length === 0 ? (
      <p class="muted">{table.empty}</p>
    ) : (
      <table class="holding-table" aria-labelledby={`${table.id}-title`}>
        <thead>
          <tr>
            <th scope="col">{table.heading}</th>
            <th scope="col" class="number holding-held">
              Holds <span class="holding-error"></span>
            </th>
            <th scope="col" class="number holding-share" title={table.shareOf}>
              Share
            </th>
          </tr>
        </thead>
        <tbody>
          {table.rows.map((row) => (
            <Row row={row} ofBytes={table.ofBytes} />
          ))}
        </tbody>
      </table>
    )}
  </section>
);

const Row: FC<{ readonly row: HoldingRow; readonly ofBytes: number }> = ({ row, ofBytes }) => {
  const { name, held, tone = null, isPart = false, href = null, note = '' } = row;
  return (
    <tr class={isPart ? 'is-part' : undefined}>
      <th scope="row">
        {tone ? <span class={`holding-key tone-${tone}`} aria-hidden="true"></span> : null}
        {href ? <a href={href}>{name}</a> : <span class="holding-name">{name}</span>}{' '}
        {note ? <span class="holding-note">{note}</span> : null}
      </th>
      <td class="number holding-held">
        {held ? formatBytes(held.bytes) : UNKNOWN}{' '}
        <span class="holding-error">{held ? errorOf(held) : ''}</span>
      </td>
      <td class="number holding-share">
        {held && ofBytes >= 1 && held.bytes >= 0 ? formatRatio(held.bytes / ofBytes) : UNKNOWN}
      </td>
    </tr>
  );
};

/** "± 2.0 MB"; empty where it is exact, or as good as that. */
function errorOf(held: Bytes): string {
  return formatEstimate(held).slice(formatBytes(held.bytes).length).trim();
}

import type { FC } from 'hono/jsx';

/** Tones tell neighbours apart; what a part is stands in words beside it. */
export type Tone = 'a' | 'b' | 'c' | 'd' | 'e' | 'f' | 'rest' | 'beside' | 'own' | 'unknown';

export interface HoldingPart {
  /** 0..100 on the bar. */
  readonly startPercent: number;
  readonly widthPercent: number;
  readonly tone: Tone;
  /** Neighbours of one tone take turns. */
  readonly isOdd: boolean;
  readonly label: string;
  /** With its size: shown where the pointer is. */
  readonly title: string;
}

export interface HoldingBarProps {
  /** All of it in words. */
  readonly text: string;
  readonly parts: readonly HoldingPart[];
  /** A second row that divides the first; empty where there is nothing to divide. */
  readonly within: readonly HoldingPart[];
  /** Where the limit is, 0..100; null: none, or beyond what is drawn. */
  readonly limitPercent: number | null;
}

export interface HoldingRow {
  readonly tone: Tone | null;
  /** A part of the row above it. */
  readonly isPart: boolean;
  readonly name: string;
  readonly href: string | null;
  readonly note: string;
  readonly held: string;
  /** "± 2.0 MB"; empty where it is exact. */
  readonly error: string;
  readonly share: string;
}

export interface HoldingTableProps {
  readonly id: string;
  readonly title: string;
  /** What the first column names. */
  readonly heading: string;
  /** What shares are of. */
  readonly shareOf: string;
  readonly rows: readonly HoldingRow[];
  /** Said where there are no rows. */
  readonly empty: string;
}

const ROW_HEIGHT = 30;
const WITHIN_HEIGHT = 18;

/** Who holds how much, as a bar; the table beside it says the same. */
export const HoldingBar: FC<HoldingBarProps> = ({ text, parts, within, limitPercent }) => {
  const height = within.length > 0 ? ROW_HEIGHT + WITHIN_HEIGHT + 2 : ROW_HEIGHT;
  return (
    <svg class="holding-bar" width="100%" height={String(height)} role="img" aria-label={text}>
      <rect class="bar-track" width="100%" height={String(ROW_HEIGHT)} />
      {parts.map((part) => (
        <Part part={part} y={0} height={ROW_HEIGHT} />
      ))}
      {within.map((part) => (
        <Part part={part} y={ROW_HEIGHT + 2} height={WITHIN_HEIGHT} />
      ))}
      {limitPercent === null ? null : (
        <line
          class="bar-mark is-limit"
          x1={`${limitPercent}%`}
          x2={`${limitPercent}%`}
          y1="0"
          y2={String(ROW_HEIGHT)}
        />
      )}
    </svg>
  );
};

/** A drawing of its own, so that its label is cut where it ends. */
const Part: FC<{ readonly part: HoldingPart; readonly y: number; readonly height: number }> = ({
  part,
  y,
  height,
}) => (
  <svg
    aria-hidden="true"
    class={`holding-part tone-${part.tone}${part.isOdd ? ' is-odd' : ''}`}
    x={`${part.startPercent}%`}
    y={String(y)}
    width={`${part.widthPercent}%`}
    height={String(height)}
  >
    <title>{part.title}</title>
    <rect width="100%" height="100%" />
    {part.widthPercent >= 8 ? (
      <text class={part.widthPercent >= 25 ? '' : 'is-narrow'} x="6" y={String(height / 2 + 4)}>
        {part.label}
      </text>
    ) : null}
  </svg>
);

export const HoldingTable: FC<HoldingTableProps> = ({ id, title, heading, shareOf, rows, empty }) => (
  <section class="holding-section" id={id} aria-labelledby={`${id}-title`}>
    <h3 id={`${id}-title`}>{title}</h3>
    {rows.length === 0 ? (
      <p class="muted">{empty}</p>
    ) : (
      <table class="holding-table" aria-labelledby={`${id}-title`}>
        <thead>
          <tr>
            <th scope="col">{heading}</th>
            <th scope="col" class="number holding-held">
              Holds <span class="holding-error"></span>
            </th>
            <th scope="col" class="number holding-share" title={shareOf}>
              Share
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Row {...row} />
          ))}
        </tbody>
      </table>
    )}
  </section>
);

const Row: FC<HoldingRow> = ({ tone, isPart, name, href, note, held, error, share }) => (
  <tr class={isPart ? 'is-part' : undefined}>
    <th scope="row">
      {tone ? <span class={`holding-key tone-${tone}`} aria-hidden="true"></span> : null}
      {href ? <a href={href}>{name}</a> : <span class="holding-name">{name}</span>}{' '}
      {note ? <span class="holding-note">{note}</span> : null}
    </th>
    <td class="number holding-held">
      {held} <span class="holding-error">{error}</span>
    </td>
    <td class="number holding-share">{share}</td>
  </tr>
);

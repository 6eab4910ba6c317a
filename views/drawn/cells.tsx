import type { FC } from 'hono/jsx';
import { formatCount, formatDuration } from '../../server/model/format.js';
import { described } from './words.js';

/**
 * What one slot of a worker does. `old`: its job runs longer than it should; `stuck`: it is not expected to end. Free, but
 * kept from taking a job: `deaf` does not hear of them, `blocked` is refused them by a full Redis, `paused` by people.
 */
export type SlotState =
  | 'idle'
  | 'busy'
  | 'old'
  | 'stuck'
  | 'gone'
  | 'deaf'
  | 'blocked'
  | 'paused'
  | 'unknown';

export interface SlotCell {
  readonly state: SlotState;
  /** How long the job in it has run; null: there is none, or it is not known. */
  readonly ageMs: number | null;
}

const SIZE = 14;
const STEP = 17;
const MAX_CELLS = 60;

/** Drawn on the cell, so that colour is never the only sign. */
const SIGNS: Readonly<Record<SlotState, string>> = {
  idle: '',
  busy: '',
  old: 'M3 7h8',
  stuck: 'M3.5 3.5l7 7M10.5 3.5l-7 7',
  gone: 'M2 12 12 2',
  deaf: 'M4.5 4.5h5l-5 5h5',
  blocked: 'M4.5 4.5h5v5h-5z',
  paused: 'M5 3.5v7M9 3.5v7',
  unknown: 'M7 10.4v.2M5 5.2a2 2 0 1 1 2.9 1.8c-.7.4-.9.8-.9 1.6',
};

const STATE_WORDS: Readonly<Record<SlotState, string>> = {
  idle: 'idle',
  busy: 'busy',
  old: 'slow',
  stuck: 'hung',
  gone: 'gone',
  deaf: 'not consuming',
  blocked: 'blocked',
  paused: 'paused',
  unknown: 'not known',
};

/** The slots of a worker, one cell each: filled from below by the age of the job in it, with a sign where it is in trouble. */
export const Cells: FC<{
  /** Whose slots: "Slots of mail-1". */
  readonly title: string;
  readonly slots: readonly SlotCell[];
  /** Cells in a row; more go to the next. */
  readonly perRow?: number;
}> = ({ title, slots, perRow = 20 }) => {
  const shown = slots.slice(0, MAX_CELLS);
  const columns = Math.max(1, Math.min(Math.floor(perRow) || 1, shown.length));
  const rows = Math.max(1, Math.ceil(shown.length / columns));
  const beyond = slots.length - shown.length;
  const [width, height] = [columns * STEP, rows * STEP];
  return (
    <span class="cells">
      <svg
        class="cells-drawing"
        width={String(width)}
        height={String(height)}
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={slotCellsInWords(title, slots)}
      >
        {shown.map((slot, i) => (
          <Cell slot={slot} x={(i % columns) * STEP} y={Math.floor(i / columns) * STEP} />
        ))}
      </svg>
      {beyond > 0 ? <span class="cells-more">+{formatCount(beyond)}</span> : null}
    </span>
  );
};

const Cell: FC<{ readonly slot: SlotCell; readonly x: number; readonly y: number }> = ({ slot, x, y }) => {
  const level = Math.round(levelOf(slot) * (SIZE - 2));
  const sign = SIGNS[slot.state];
  return (
    <g class={`slot-${slot.state}`} transform={`translate(${x} ${y})`}>
      <title>{slotInWords(slot)}</title>
      <rect class="slot-box" x="0.5" y="0.5" width={String(SIZE - 1)} height={String(SIZE - 1)} rx="2" />
      {level > 0 ? (
        <rect
          class="slot-fill"
          x="1"
          y={String(SIZE - 1 - level)}
          width={String(SIZE - 2)}
          height={String(level)}
        />
      ) : null}
      {sign === '' ? null : <path class="slot-sign" d={sign} />}
    </g>
  );
};

/** How far a cell is filled: a quarter in the first second, then more by each tenfold, whole from a minute on. */
function levelOf({ state, ageMs }: SlotCell): number {
  if (state === 'old' || state === 'stuck') return 1;
  if (state !== 'busy' && state !== 'paused') return 0;
  if (ageMs === null || Number.isNaN(ageMs)) return state === 'busy' ? 0.25 : 0;
  return ageMs < 1_000 ? 0.25 : ageMs < 10_000 ? 0.5 : ageMs < 60_000 ? 0.75 : 1;
}

function slotInWords({ state, ageMs }: SlotCell): string {
  const age = ageMs === null || Number.isNaN(ageMs) ? '' : ` for ${formatDuration(ageMs / 1000)}`;
  return `${STATE_WORDS[state]}${age}`;
}

/** "Slots of mail-1: 4 in all; 2 busy, the longest for 12 s; 1 hung for 4 min; 1 idle." */
function slotCellsInWords(title: string, slots: readonly SlotCell[]): string {
  const counts = (Object.keys(STATE_WORDS) as SlotState[]).flatMap((state) => {
    const of = slots.filter((slot) => slot.state === state);
    if (of.length === 0) return [];
    const ages = of.flatMap(({ ageMs }) => (ageMs === null || Number.isNaN(ageMs) ? [] : [ageMs]));
    const longest = ages.length === 0 ? null : ages.reduce((most, age) => Math.max(most, age), 0);
    const age = longest === null ? '' : `, the longest for ${formatDuration(longest / 1000)}`;
    return [`${formatCount(of.length)} ${STATE_WORDS[state]}${age}`];
  });
  return described(title, [`${formatCount(slots.length)} in all`, ...counts]);
}

import type { FC } from 'hono/jsx';
import { formatCount, formatRate } from '../../server/model/format.js';
import { largestOf, place } from './geometry.js';
import { described } from './words.js';

type FlowStage = 'delayed' | 'waiting' | 'active' | 'completed' | 'failed';

export interface FlowProps {
  /** Whose: "Flow of mail". */
  readonly title: string;
  readonly counts: Readonly<Record<FlowStage, number>>;
  /** A second; null: not known. */
  readonly rates: {
    readonly added: number | null;
    readonly completed: number | null;
    readonly failed: number | null;
  };
  /** Where it piles up, and how bad that is; null: nowhere. */
  readonly pile: { readonly at: FlowStage; readonly state: 'critical' | 'warning' } | null;
}

const HEIGHT = 132;
const BOX_HEIGHT = 46;
/** In percent of the width, so that it fits a phone as well as a desk; what is in pixels keeps its size. */
const BOX_WIDTH = 22;
const COLUMNS = { waiting: 13, active: 46, ended: 77.5 } as const;
const ROWS = { first: 22, second: 84 } as const;

const PLACES: Readonly<Record<FlowStage, { readonly x: number; readonly y: number; readonly word: string }>> =
  {
    waiting: { x: COLUMNS.waiting, y: ROWS.first, word: 'Waiting' },
    delayed: { x: COLUMNS.waiting, y: ROWS.second, word: 'Delayed' },
    active: { x: COLUMNS.active, y: ROWS.first, word: 'Active' },
    completed: { x: COLUMNS.ended, y: ROWS.first, word: 'Completed' },
    failed: { x: COLUMNS.ended, y: ROWS.second, word: 'Failed' },
  };

/** How jobs go through a queue, with rates on the arrows, as thick as they are large; where it piles up is marked. */
export const FlowDrawing: FC<FlowProps> = (flow) => {
  const { counts, rates, pile } = flow;
  const started = sumOf(rates.completed, rates.failed);
  const most = largestOf([rates.added, rates.completed, rates.failed, started]);
  const thick = (perSecond: number | null): string =>
    place(1.5 + (most > 0 && perSecond !== null ? (Math.max(0, perSecond) / most) * 4 : 0));
  return (
    <svg class="flow" width="100%" height={String(HEIGHT)} role="img" aria-label={flowDrawingInWords(flow)}>
      <Arrow from={0} to={COLUMNS.waiting} rate={rates.added} width={thick(rates.added)} />
      <Arrow from={COLUMNS.waiting + BOX_WIDTH} to={COLUMNS.active} rate={started} width={thick(started)} />
      <Arrow
        from={COLUMNS.active + BOX_WIDTH}
        to={COLUMNS.ended}
        rate={rates.completed}
        width={thick(rates.completed)}
      />
      <Arrow
        from={COLUMNS.active + BOX_WIDTH}
        to={COLUMNS.ended}
        rate={rates.failed}
        width={thick(rates.failed)}
        isDown={true}
      />
      <line
        class="flow-arrow"
        x1={`${COLUMNS.waiting + BOX_WIDTH / 2}%`}
        x2={`${COLUMNS.waiting + BOX_WIDTH / 2}%`}
        y1={String(ROWS.second)}
        y2={String(ROWS.first + BOX_HEIGHT)}
        stroke-width="1.5"
      />
      {(Object.keys(PLACES) as FlowStage[]).map((stage) => (
        <Box stage={stage} count={counts[stage]} pile={pile?.at === stage ? pile.state : null} />
      ))}
    </svg>
  );
};

const Box: FC<{
  readonly stage: FlowStage;
  readonly count: number;
  readonly pile: 'critical' | 'warning' | null;
}> = ({ stage, count, pile }) => {
  const { x, y, word } = PLACES[stage];
  const middle = `${x + BOX_WIDTH / 2}%`;
  const [name, number] = [y + 17, y + 37].map(String);
  return (
    <g class={pile === null ? 'flow-stage' : `flow-stage is-pile state-${pile}`}>
      <rect x={`${x}%`} y={String(y)} width={`${BOX_WIDTH}%`} height={String(BOX_HEIGHT)} rx="5" />
      <text class="flow-name" x={middle} y={name} text-anchor="middle">
        {word}
      </text>
      <text class="flow-count" x={middle} y={number} text-anchor="middle">
        {formatCount(count)}
      </text>
      {pile === null ? null : (
        <text class="flow-pile" x={middle} y={String(y - 6)} text-anchor="middle">
          piles up
        </text>
      )}
    </g>
  );
};

const Arrow: FC<{
  readonly from: number;
  readonly to: number;
  readonly rate: number | null;
  readonly width: string;
  readonly isDown?: boolean;
}> = ({ from, to, rate, width, isDown = false }) => {
  const start = ROWS.first + BOX_HEIGHT / 2;
  const end = isDown ? ROWS.second + BOX_HEIGHT / 2 : start;
  const middle = (from + to) / 2;
  return (
    <>
      <line
        class="flow-arrow"
        x1={`${from}%`}
        x2={`${to}%`}
        y1={String(start)}
        y2={String(end)}
        stroke-width={width}
      />
      <svg x={`${to}%`} y={String(end)} overflow="visible" aria-hidden="true">
        <path class="flow-head" d="M0 0l-8-4.5v9z" />
      </svg>
      <text class="flow-rate" x={`${middle}%`} y={isDown ? String(end + 18) : '14'} text-anchor="middle">
        {rateInWords(rate)}
      </text>
    </>
  );
};

function sumOf(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}

function rateInWords(perSecond: number | null): string {
  return perSecond === null || !Number.isFinite(perSecond) ? '–' : formatRate(perSecond);
}

/** "Flow of mail: added 70/s; 620 waiting, where it piles up; 12 active; 4,807 completed, 63/s; 0 failed, 0/s; 0 delayed." */
function flowDrawingInWords({ title, counts, rates, pile }: FlowProps): string {
  const stage = (at: FlowStage, perSecond?: number | null): string =>
    `${formatCount(counts[at])} ${at}${perSecond === undefined ? '' : `, ${perSecond === null ? 'rate not known' : rateInWords(perSecond)}`}${pile?.at === at ? ', where it piles up' : ''}`;
  return described(title, [
    rates.added === null ? 'added: not known' : `added ${rateInWords(rates.added)}`,
    stage('waiting'),
    stage('active'),
    stage('completed', rates.completed),
    stage('failed', rates.failed),
    stage('delayed'),
  ]);
}

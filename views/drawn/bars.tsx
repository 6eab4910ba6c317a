import type { FC } from 'hono/jsx';
import {
  type FormatUnit,
  formatCount,
  formatRate,
  formatRatio,
  formatValue,
} from '../../server/model/format.js';
import { largestOf, percent, place, scaleOf } from './geometry.js';
import { described, listed } from './words.js';

/** How much comes in and how much goes out, per second; null: it is not known. */
interface Flow {
  readonly inPerSecond: number | null;
  readonly outPerSecond: number | null;
}

const WIDTH = 48;
/** Two lines of text beside it. */
const HEIGHT = 32;

/** Two bars on one scale: whether more comes in than goes out is seen without reading. What is not known has no bar. */
export const FlowBars: FC<Flow> = (flow) => {
  const { inPerSecond, outPerSecond } = flow;
  const width = scaleOf(0, largestOf([inPerSecond, outPerSecond]) || 1, WIDTH);
  return (
    <svg class="flow-bars" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={flowInWords(flow)}>
      <path class="flow-in" d={`M0 8h${place(width(inPerSecond) ?? 0)}`} />
      <path class="flow-out" d={`M0 24h${place(width(outPerSecond) ?? 0)}`} />
    </svg>
  );
};

function flowInWords({ inPerSecond, outPerSecond }: Flow): string {
  const rate = (perSecond: number | null): string =>
    perSecond === null || !Number.isFinite(perSecond) ? 'not known' : formatRate(perSecond);
  return `In ${rate(inPerSecond)}, out ${rate(outPerSecond)}`;
}

const GAUGE_WIDTH = 56;

/** How many of all are in use, as a bar; beyond all of them it is full. */
export const GaugeBar: FC<{
  /** What is counted: "slots busy". */
  readonly title: string;
  /** null: not known. */
  readonly used: number | null;
  readonly of: number | null;
}> = ({ title, used, of }) => {
  const isKnown = used !== null && of !== null && Number.isFinite(used) && Number.isFinite(of);
  const width = isKnown ? (scaleOf(0, Math.max(of, 1), GAUGE_WIDTH)(used) ?? 0) : 0;
  const words = isKnown ? `${formatCount(used)} of ${formatCount(of)} ${title}` : `${title}: not known`;
  return (
    <svg
      class={isKnown && of > 0 && used >= of ? 'gauge is-full' : 'gauge'}
      viewBox={`0 0 ${GAUGE_WIDTH} 10`}
      role="img"
      aria-label={words}
    >
      <path d={`M0 5h${place(width)}`} />
    </svg>
  );
};

/** Tones tell neighbours apart; what a part is stands in words beside it. */
export type Tone = 'a' | 'b' | 'c' | 'd' | 'e' | 'f' | 'rest' | 'beside' | 'own' | 'unknown';

const TONES: readonly Tone[] = ['a', 'b', 'c', 'd', 'e', 'f'];

/** The tone of the n-th of a list; those beyond share one. */
export function toneOf(index: number): Tone {
  return TONES[index] ?? 'rest';
}

export interface Share {
  readonly label: string;
  readonly value: number;
  /** none: its place stays empty. */
  readonly tone: Tone | 'none';
}

export interface ShareBarProps {
  /** What is shared: "Memory by queue". */
  readonly title: string;
  readonly unit: FormatUnit;
  readonly parts: readonly Share[];
  /** A second row beneath it, on the same scale; left out: there is none. */
  readonly within?: readonly Share[];
  /** What the whole width is; the parts together where those are more. */
  readonly total: number;
  /** null or left out: there is none. */
  readonly limit?: number | null;
  /** Without names on the parts, thin. */
  readonly isThin?: boolean;
}

/** A part narrower than this has no room for its name, a share of the width. */
const LEAST_NAMED = 0.08;
/** And on a phone. */
const LEAST_NAMED_NARROW = 0.25;
/** Thinner ones can't be seen. */
const LEAST_DRAWN = 0.002;

/** Who holds how much of a whole, side by side. Labels that have no room are left to the table beside it. */
export const ShareBar: FC<ShareBarProps> = (bar) => {
  const { parts, within = [], limit = null, isThin = false } = bar;
  const scale = wholeOf(bar);
  const height = isThin ? 14 : 30;
  const total = within.length > 0 ? height + 20 : height;
  const limitAt = limit === null ? null : scaleOf(0, scale, 1)(limit);
  return (
    <svg
      class={isThin ? 'share-bar is-thin' : 'share-bar'}
      width="100%"
      height={String(total)}
      role="img"
      aria-label={sharesInWords(bar)}
    >
      <rect class="share-track" width="100%" height={String(height)} />
      <ShareRow parts={parts} unit={bar.unit} whole={scale} y={0} height={height} isNamed={!isThin} />
      <ShareRow parts={within} unit={bar.unit} whole={scale} y={height + 2} height={18} isNamed={!isThin} />
      {limitAt === null ? null : (
        <line class="share-limit" x1={percent(limitAt)} x2={percent(limitAt)} y1="0" y2={String(height)} />
      )}
    </svg>
  );
};

const ShareRow: FC<{
  readonly parts: readonly Share[];
  readonly unit: FormatUnit;
  readonly whole: number;
  readonly y: number;
  readonly height: number;
  readonly isNamed: boolean;
}> = ({ parts, unit, whole, y, height, isNamed }) => {
  const ratio = scaleOf(0, whole, 1);
  let from = 0;
  let before: Share | null = null;
  let isOdd = false;
  return (
    <>
      {parts.map((part) => {
        const width = Math.min(ratio(part.value) ?? 0, 1 - from);
        const start = from;
        from += width;
        if (width < LEAST_DRAWN || part.tone === 'none') return null;
        // Neighbours of one tone take turns.
        isOdd = part.tone === before?.tone && !isOdd;
        before = part;
        return (
          // A drawing of its own, so that its label is cut where it ends.
          <svg
            aria-hidden="true"
            class={`share-part tone-${part.tone}${isOdd ? ' is-odd' : ''}`}
            x={percent(start)}
            y={String(y)}
            width={percent(width)}
            height={String(height)}
          >
            <title>{`${part.label}: ${formatValue(part.value, unit)}`}</title>
            <rect width="100%" height="100%" />
            {isNamed && width >= LEAST_NAMED ? (
              <text class={width >= LEAST_NAMED_NARROW ? '' : 'is-narrow'} x="6" y={String(height / 2 + 4)}>
                {part.label}
              </text>
            ) : null}
          </svg>
        );
      })}
    </>
  );
};

/** "Memory by queue, of 64 MB: mail 43 MB (67%), api 12 MB (19%); limit 64 MB." */
function sharesInWords({ title, unit, parts, total, limit = null }: ShareBarProps): string {
  const known = parts.filter(({ value }) => Number.isFinite(value) && value > 0);
  const words = known.map(({ label, value }) => {
    const share = total > 0 && Number.isFinite(total) ? ` (${formatRatio(value / total)})` : '';
    return `${label} ${formatValue(value, unit)}${share}`;
  });
  return described(title, [
    known.length === 0 ? 'nothing is known' : listed(words, 8),
    limit !== null && `limit ${formatValue(limit, unit)}`,
  ]);
}

function wholeOf({ parts, within = [], total }: ShareBarProps): number {
  const sum = (shares: readonly Share[]): number =>
    shares.reduce((all, { value }) => all + (Number.isFinite(value) ? Math.max(0, value) : 0), 0);
  const whole = Math.max(Number.isFinite(total) ? total : 0, sum(parts), sum(within));
  return whole > 0 ? Math.min(whole, Number.MAX_VALUE) : 1;
}

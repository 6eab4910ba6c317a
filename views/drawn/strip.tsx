import type { FC } from 'hono/jsx';
import { formatRunTime, formatThings } from '../../server/model/format.js';
import { largestOf, place } from './geometry.js';
import { described } from './words.js';

interface StripProps {
  /** Whose, and of what: "Run time of mail-1, send". */
  readonly title: string;
  readonly ownMs: number;
  /** Those of its peers, itself not among them. */
  readonly peersMs: readonly number[];
  /** It is called one: drawn so that it stands out. */
  readonly isOutlier: boolean;
}

const WIDTH = 84;
const HEIGHT = 20;
const MIDDLE = HEIGHT / 2;
/** Room for the mark at both ends. */
const EDGE = 6;
/** A tenfold at least, so that peers that are nearly alike are drawn alike. */
const LEAST_DECADES = 1;

/** One run time among those of its peers: they are ticks, it is a dot; a diamond where it is an outlier. */
export const Strip: FC<StripProps> = (strip) => {
  const { ownMs, peersMs, isOutlier } = strip;
  const x = axisOf([ownMs, ...peersMs]);
  const ticks = [...new Set(peersMs.map((ms) => Math.round(x(ms))))].sort((a, b) => a - b);
  const own = x(ownMs);
  return (
    <svg
      class={isOutlier ? 'strip is-outlier' : 'strip'}
      width={String(WIDTH)}
      height={String(HEIGHT)}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={stripInWords(strip)}
    >
      <line class="strip-line" x1="0" x2={String(WIDTH)} y1={String(MIDDLE)} y2={String(MIDDLE)} />
      {ticks.length === 0 ? null : (
        <path class="strip-peers" d={ticks.map((at) => `M${at} ${MIDDLE - 5}v10`).join('')} />
      )}
      {isOutlier ? (
        <path class="strip-own" d={`M${place(own)} ${MIDDLE - 6}l6 6l-6 6l-6-6z`} />
      ) : (
        <circle class="strip-own" cx={place(own)} cy={String(MIDDLE)} r="4" />
      )}
    </svg>
  );
};

/** Where a run time lies: by its logarithm, from the shortest to the longest. */
function axisOf(all: readonly number[]): (ms: number) => number {
  const logs = all.map(logOf);
  const low = logs.reduce((least, log) => Math.min(least, log), logs[0] ?? 0);
  const high = largestOf(logs);
  const decades = Math.max(LEAST_DECADES, high - low);
  const from = (low + high - decades) / 2;
  return (ms) => EDGE + ((logOf(ms) - from) / decades) * (WIDTH - 2 * EDGE);
}

function logOf(ms: number): number {
  return Math.log10(Number.isFinite(ms) && ms > 1 ? ms : 1);
}

/** "Run time of mail-1, send: 1.2 s, an outlier; 7 peers take 100 ms to 130 ms." */
function stripInWords({ title, ownMs, peersMs, isOutlier }: StripProps): string {
  const known = peersMs.filter((ms) => Number.isFinite(ms));
  const [least, most] = [Math.min(...known), Math.max(...known)].map(formatRunTime);
  return described(title, [
    `${formatRunTime(ownMs)}${isOutlier ? ', an outlier' : ''}`,
    known.length === 0
      ? 'no peers'
      : `${formatThings(known.length, 'peer')} ${known.length === 1 ? 'takes' : 'take'} ${least === most ? least : `${least} to ${most}`}`,
  ]);
}

import type { FC } from 'hono/jsx';
import { percent, type Span, shareOfSpan, timeTicks } from './geometry.js';
import { clockTime } from './words.js';

/** Lines at round times through a drawing, with the times below it. */
export const TimeAxis: FC<{
  readonly span: Span;
  /** Where the lines begin and end, and where the times stand, from the top. */
  readonly top: number;
  readonly bottom: number;
  readonly most?: number;
}> = ({ span, top, bottom, most = 5 }) => (
  <g class="drawn-axis">
    {timeTicks(span, most).map((atMs) => {
      const share = shareOfSpan(atMs, span);
      const x = percent(share);
      return (
        <>
          <line x1={x} x2={x} y1={String(top)} y2={String(bottom)} />
          <text x={x} y={String(bottom + 13)} text-anchor={anchorAt(share)}>
            {clockTime(atMs)}
          </text>
        </>
      );
    })}
  </g>
);

/** A label at an edge stays inside. */
export function anchorAt(share: number): 'start' | 'middle' | 'end' {
  return share < 0.06 ? 'start' : share > 0.94 ? 'end' : 'middle';
}

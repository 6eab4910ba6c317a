import type { FC } from 'hono/jsx';

export interface SparklineProps {
  /** `x,y` pairs on a box of 80 × 20; empty where there is nothing to draw. */
  readonly points: string;
}

/** The shape of the last minutes. The number beside it says the same, so it is hidden from screen readers. */
export const Sparkline: FC<SparklineProps> = ({ points }) => (
  <svg class="sparkline" width="80" height="20" viewBox="0 0 80 20" aria-hidden="true">
    {points === '' ? null : <polyline points={points} />}
  </svg>
);

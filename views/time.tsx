import type { FC } from 'hono/jsx';

export interface Moment {
  /** ISO 8601, for machines and for the script that shows local time on hover. */
  readonly iso: string;
  /** UTC, for people. */
  readonly text: string;
}

export const Time: FC<Moment> = ({ iso, text }) => <time datetime={iso}>{text}</time>;

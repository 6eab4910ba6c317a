import type { FC } from 'hono/jsx';
import { coarseAge, moment, UNKNOWN } from './words.js';

/** When something was, as people say it: "2 min ago", and exactly where the pointer is. null: it is not known. */
export const Ago: FC<{ readonly atMs: number | null; readonly nowMs: number }> = ({ atMs, nowMs }) => {
  if (atMs === null) return UNKNOWN;
  const { iso, text } = moment(atMs, nowMs);
  const seconds = (nowMs - atMs) / 1000;
  return (
    <time datetime={iso} title={text}>
      {seconds < 5 ? 'just now' : `${coarseAge(seconds, 5)} ago`}
    </time>
  );
};

import type { FC } from 'hono/jsx';

/** How many alerts fire, in the menu of every page. */
export const AlertCount: FC<{ readonly count: number }> = ({ count }) => (
  <span id="alert-count" class={count > 0 ? 'nav-count' : 'nav-count is-empty'}>
    {count > 0 ? `${count} firing` : ''}
  </span>
);

/** The same as a line of the overview. */
export const FiringLine: FC<{ readonly text: string }> = ({ text }) => (
  <p id="firing-line" class={text === '' ? 'firing-line is-empty' : 'firing-line'}>
    {text === '' ? null : <a href="/alerts">{text}</a>}
  </p>
);

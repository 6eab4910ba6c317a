import type { FC } from 'hono/jsx';

/** How many alerts fire, in the menu of every page. */
export const AlertCount: FC<{ readonly count: number }> = ({ count }) => (
  <span id="alert-count" class={count > 0 ? 'nav-count' : 'nav-count is-empty'}>
    {count > 0 ? (
      <>
        {count}
        <span class="nav-count-word"> firing</span>
      </>
    ) : null}
  </span>
);

/** The same as a line of the overview, and whether anybody but who looks knows. */
export const FiringLine: FC<{ readonly text: string; readonly hasChannel: boolean }> = ({
  text,
  hasChannel,
}) => (
  <p id="firing-line" class={text === '' ? 'firing-line is-empty' : 'firing-line'}>
    {text === '' ? null : <a href="/alerts">{text}</a>}
    {text === '' || hasChannel ? null : (
      <>
        {' · '}
        <a href="/channels">No channel configured: nobody is notified</a>
      </>
    )}
  </p>
);

/** Said where alerts fire: they reach nobody. */
export const NoChannel: FC = () => (
  <p class="no-channel state-warning">
    <span class="state-word">No channel configured: nobody is notified.</span>{' '}
    <a href="/channels">Set up a channel</a>
  </p>
);

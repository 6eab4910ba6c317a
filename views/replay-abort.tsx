import type { FC } from 'hono/jsx';
import { type Chrome, Layout } from './layout.js';

export interface ReplayAbortProps {
  readonly title: string;
  readonly action: string;
  /** What it will do, with numbers. */
  readonly effects: readonly string[];
}

/** Asks before a replay is ended for good. */
export const ReplayAbort: FC<{ readonly chrome: Chrome; readonly view: ReplayAbortProps }> = ({
  chrome,
  view,
}) => (
  <Layout chrome={chrome}>
    <h1>Abort a replay</h1>
    <section class="replay" aria-labelledby="abort-title">
      <h2 id="abort-title">{view.title}</h2>
      {view.effects.map((effect) => (
        <p>{effect}</p>
      ))}
      <form method="post" action={view.action} class="replay-abort">
        <p class="replay-field">
          <label for="abort-why">
            Why <span class="hint">(required)</span>
          </label>
          <input id="abort-why" name="reason" type="text" maxlength={500} required />
        </p>
        <p class="replay-buttons">
          <button type="submit" class="button" name="state" value="aborted">
            Abort it for good
          </button>
          <a class="button" href="/replays">
            Leave it
          </a>
        </p>
      </form>
    </section>
  </Layout>
);

import type { FC } from 'hono/jsx';

export interface PauseAllProps {
  /** "2 replays run at 1,200/s, 48,000 jobs remain"; empty: none is under way. */
  readonly text: string;
  readonly canPause: boolean;
  readonly canResume: boolean;
  readonly back: string;
}

/** All replays under way in one line, with the one action that stops them. */
export const PauseAll: FC<PauseAllProps> = ({ text, canPause, canResume, back }) => (
  <div id="replays-all" class={text === '' ? 'replays-all is-empty' : 'replays-all'}>
    {text === '' ? null : (
      <p>
        <a href="/replays">Replays</a>: {text}
      </p>
    )}
    {canPause ? <AllForm state="paused" label="Pause all replays" back={back} /> : null}
    {canResume ? <AllForm state="running" label="Resume all replays" back={back} /> : null}
  </div>
);

const AllForm: FC<{ readonly state: string; readonly label: string; readonly back: string }> = (form) => (
  <form method="post" action="/replays/all">
    <input type="hidden" name="back" value={form.back} />
    <button type="submit" class="small-button" name="state" value={form.state}>
      {form.label}
    </button>
  </form>
);

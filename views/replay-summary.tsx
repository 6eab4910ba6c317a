import type { FC } from 'hono/jsx';

export interface PauseAllProps {
  /** "2 replays under way at 1,200/s, 1 replay queue at 30/s, 48,000 jobs remain"; empty: there is none. */
  readonly text: string;
  /** What the button will do, with numbers; empty: there is no button. */
  readonly effect: string;
  readonly canPause: boolean;
  readonly canResume: boolean;
  readonly back: string;
}

/** All replays under way in one line, with the one action that stops them. */
export const PauseAll: FC<PauseAllProps> = ({ text, effect, canPause, canResume, back }) => (
  <div id="replays-all" class={text === '' ? 'replays-all is-empty' : 'replays-all'}>
    {text === '' ? null : (
      <p>
        <a href="/replays">Replays</a>: {text}
      </p>
    )}
    {canPause ? <AllForm act="pause" label="Pause all replays" back={back} /> : null}
    {canResume ? <AllForm act="resume" label="Resume all replays" back={back} /> : null}
    {effect === '' ? null : <p class="muted replays-effect">{effect}</p>}
  </div>
);

const AllForm: FC<{ readonly act: string; readonly label: string; readonly back: string }> = (form) => (
  <form method="post" action="/replays/all">
    <input type="hidden" name="back" value={form.back} />
    <button type="submit" class="small-button" name="act" value={form.act}>
      {form.label}
    </button>
  </form>
);

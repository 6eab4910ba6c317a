import type { FC } from 'hono/jsx';

/**
 * The same order for a queue or a group, at another rate, with a reason. Not a live part: what is typed and whether it is
 * open stay. Without a replay it is hidden by the style sheet, so that it is there when one begins elsewhere.
 */
export const ReplayScope: FC<{
  readonly back: string;
  readonly scopes: readonly { readonly value: string; readonly label: string }[];
}> = ({ back, scopes }) => (
  <details class="replays-scope">
    <summary>A queue or a group, or another rate</summary>
    <form method="post" action="/replays/all">
      <input type="hidden" name="back" value={back} />
      <label>
        Replays of
        <select name="scope">
          {scopes.map(({ value, label }) => (
            <option value={value}>{label}</option>
          ))}
        </select>
      </label>
      <label>
        Reason
        <input name="reason" type="text" maxlength={500} placeholder="by hand, on the page" />
      </label>
      <label>
        New rate of each, in jobs a second
        <input name="ratePerSecond" type="number" min="0.1" max="20000" step="any" required />
      </label>
      <p class="replay-buttons">
        <button type="submit" class="small-button" name="act" value="rate">
          Set this rate
        </button>
        <button type="submit" class="small-button" name="act" value="pause" formnovalidate>
          Pause these
        </button>
        <button type="submit" class="small-button" name="act" value="resume" formnovalidate>
          Resume these
        </button>
      </p>
    </form>
    <p class="muted">
      A rate is also set as the rate limit of replay queues; a pause leaves jobs where they are.
    </p>
  </details>
);

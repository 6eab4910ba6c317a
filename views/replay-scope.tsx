import type { FC } from 'hono/jsx';

export interface ReplayScopeProps {
  readonly back: string;
  readonly scopes: readonly { readonly value: string; readonly label: string }[];
}

/**
 * The same action for a queue or a group, at another rate, with a reason. Not a live part: what is typed and whether it is
 * open stay. Without a replay it is hidden by the style sheet, so that it is there when one begins elsewhere.
 */
export const ReplayScope: FC<ReplayScopeProps> = ({ back, scopes }) => (
  <details class="replays-scope">
    <summary>A queue or a group, or another rate</summary>
    <form method="post" action="/replays/all">
      <input type="hidden" name="back" value={back} />
      <p class="replay-field">
        <label for="replays-scope">Replays of</label>
        <select id="replays-scope" name="scope">
          {scopes.map(({ value, label }) => (
            <option value={value}>{label}</option>
          ))}
        </select>
      </p>
      <p class="replay-field">
        <label for="replays-why">Reason</label>
        <input
          id="replays-why"
          name="reason"
          type="text"
          maxlength={500}
          placeholder="by hand, on the page"
        />
      </p>
      <p class="replay-field">
        <label for="replays-rate">New rate of each, in jobs a second</label>
        <input
          id="replays-rate"
          name="ratePerSecond"
          type="number"
          min="0.1"
          max="20000"
          step="any"
          required
        />
      </p>
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
      A rate is set at each replay, and as the global rate limit of each replay queue. A pause moves nothing
      more and pauses replay queues: jobs stay where they are, running ones finish, and rate limits stay for
      when it is resumed.
    </p>
  </details>
);

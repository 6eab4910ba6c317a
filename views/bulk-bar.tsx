import type { FC } from 'hono/jsx';

/** What can be done with the selected rows of a table at once. The script counts them. */
export const BulkBar: FC<{
  readonly acts: readonly { readonly action: string; readonly label: string }[];
}> = ({ acts }) => (
  <div class="bulk" data-bulk-bar="">
    <span class="bulk-count" data-bulk-count="" aria-live="polite">
      None selected
    </span>
    {acts.map((act) => (
      <button class="small-button" type="submit" name="action" value={act.action}>
        {act.label}
      </button>
    ))}
  </div>
);

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

/** Above a list that stays in its order while somebody works in it, until it is released. The script shows it. */
export const OrderHeld: FC<{ readonly of: string; readonly release: string }> = ({ of, release }) => (
  <p class="order-held" data-held={of} hidden>
    <span data-held-text="">Order held while you are here</span>
    <button type="button" class="small-button" data-release="">
      {release}
    </button>
  </p>
);

/** Head of the column with a box for each row. */
export const CheckHeading: FC<{ readonly what: string }> = ({ what }) => (
  <th class="cell-check" scope="col">
    <label class="check">
      <input type="checkbox" data-check-all="" aria-label={`Select all ${what} shown`} />
    </label>
  </th>
);

/** Head of the column with what can be done to each row. */
export const ActHeading: FC = () => (
  <th scope="col" class="cell-flow">
    <span class="visually-hidden">Act</span>
  </th>
);

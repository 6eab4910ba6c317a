import type { FC, PropsWithChildren } from 'hono/jsx';
import { Icon } from './icon.js';

/** A value that an action sets: shown, and where the role allows it a way to change it. */
interface Setting {
  readonly value: string;
  /** What the way does. */
  readonly label: string;
  /** null: this role may not. */
  readonly href: string | null;
}

export const SettingLink: FC<Setting> = ({ value, label, href }) =>
  href === null ? (
    <span>{value}</span>
  ) : (
    <a class="setting" href={href} data-drawer="" aria-label={label}>
      {value} <Icon name="edit" />
    </a>
  );

/** Leaves the drawer as it was. */
export const CloseButton: FC = () => (
  <button
    type="button"
    class="small-button close-button"
    data-drawer-close=""
    aria-label="Close without a change"
  >
    <Icon name="close" />
  </button>
);

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

/** What may be chosen, each with its label where that is another word, and what is chosen now. */
export const Options: FC<{
  readonly of: readonly (string | readonly [value: string, label: string])[];
  readonly chosen: string | undefined;
}> = ({ of, chosen }) => (
  <>
    {of.map((one) => {
      const [value, label] = typeof one === 'string' ? [one, one] : one;
      return (
        <option value={value} selected={value === chosen}>
          {label}
        </option>
      );
    })}
  </>
);

/** Head of a column of numbers. */
export const NumberHeading: FC<{ readonly label: string }> = ({ label }) => (
  <th scope="col" class="number">
    {label}
  </th>
);

/** A number in a table; on a phone, where a row is a card, with its label. */
export const NumberCell: FC<PropsWithChildren<{ readonly label: string }>> = ({ label, children }) => (
  <td class="number" data-label={label}>
    {children}
  </td>
);

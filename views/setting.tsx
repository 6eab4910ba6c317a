import type { FC } from 'hono/jsx';
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

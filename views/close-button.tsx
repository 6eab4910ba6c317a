import type { FC } from 'hono/jsx';
import { Icon } from './icon.js';

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

import { raw } from 'hono/html';
import type { FC } from 'hono/jsx';

/** Drawn on 16 × 16. Each state has a shape of its own, so that colour is never the only sign. */
const SHAPES = {
  critical:
    '<path d="M5 1h6l4 4v6l-4 4H5l-4-4V5z" fill="currentColor"/><path d="M8 4v5M8 11.2v.8" stroke="var(--on-state)" stroke-width="2" stroke-linecap="round"/>',
  warning:
    '<path d="M8 1.2 15.4 14.5H.6z" fill="currentColor"/><path d="M8 6v4M8 12v.4" stroke="var(--on-state)" stroke-width="1.8" stroke-linecap="round"/>',
  info: '<circle cx="8" cy="8" r="6.6" fill="none" stroke="currentColor" stroke-width="1.6"/><path d="M8 7.4v4M8 4.6v.3" stroke="currentColor" stroke-width="1.8" stroke-linecap="round"/>',
  calm: '<circle cx="8" cy="8" r="7" fill="currentColor"/><path d="m4.6 8.3 2.3 2.3 4.5-4.8" fill="none" stroke="var(--on-state)" stroke-width="1.9" stroke-linecap="round" stroke-linejoin="round"/>',
  blind:
    '<path d="M1.5 8s2.6-4.4 6.5-4.4S14.5 8 14.5 8s-2.6 4.4-6.5 4.4S1.5 8 1.5 8z" fill="none" stroke="currentColor" stroke-width="1.5"/><path d="M2.5 14 13.5 2" stroke="currentColor" stroke-width="2" stroke-linecap="round"/>',
  'paused-by-spillway': '<rect x="2.5" y="2.5" width="11" height="11" rx="1.5" fill="currentColor"/>',
  paused: '<path d="M4.8 2.5v11M11.2 2.5v11" stroke="currentColor" stroke-width="3.4"/>',
  'no-workers':
    '<circle cx="8" cy="4.6" r="2.8" fill="none" stroke="currentColor" stroke-width="1.6"/><path d="M2.8 14c.4-3 2.4-4.6 5.2-4.6s4.8 1.6 5.2 4.6" fill="none" stroke="currentColor" stroke-width="1.6"/><path d="M2 2l12 12" stroke="currentColor" stroke-width="1.8" stroke-linecap="round"/>',
  stuck: '<path d="M3 3l10 10M13 3 3 13" stroke="currentColor" stroke-width="2.6" stroke-linecap="round"/>',
  'blocked-by-memory':
    '<rect x="1.5" y="4" width="13" height="8" rx="1" fill="currentColor"/><path d="M5 1.5V4M8 1.5V4M11 1.5V4M5 12v2.5M8 12v2.5M11 12v2.5" stroke="currentColor" stroke-width="1.5"/>',
  deaf: '<path d="M3.5 3.5h9l-9 9h9" fill="none" stroke="currentColor" stroke-width="2.4" stroke-linecap="round" stroke-linejoin="round"/>',
  growing:
    '<path d="M2 12 6.5 7.5l2.5 2.5L14 4.5M9.8 4H14v4.2" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"/>',
  capped:
    '<path d="M2 3h12" stroke="currentColor" stroke-width="2.4" stroke-linecap="round"/><path d="M8 14V7M4.8 9.6 8 6.4l3.2 3.2" fill="none" stroke="currentColor" stroke-width="1.9" stroke-linecap="round" stroke-linejoin="round"/>',
  'rate-limited':
    '<path d="M2.2 12.5a6.6 6.6 0 1 1 11.6 0" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round"/><path d="m8 10.5 3-4" stroke="currentColor" stroke-width="1.9" stroke-linecap="round"/>',
  flowing:
    '<path d="M2 8h11M9.2 4l4 4-4 4" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"/>',
  idle: '<path d="M3.5 8h9" stroke="currentColor" stroke-width="2" stroke-linecap="round"/>',
  undo: '<path d="M3 6h6.5a3.8 3.8 0 0 1 0 7.6H6M3 6l3.2-3.2M3 6l3.2 3.2" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round"/>',
  edit: '<path d="M10.8 2.6 13.4 5.2 5.4 13.2 2.2 13.8 2.8 10.6z" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linejoin="round"/>',
  close:
    '<path d="M3.5 3.5l9 9M12.5 3.5l-9 9" stroke="currentColor" stroke-width="2" stroke-linecap="round"/>',
  arrow:
    '<path d="M3 8h9M8.8 4.6 12.2 8l-3.4 3.4" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round"/>',
} as const;

export type IconName = keyof typeof SHAPES;

export const Icon: FC<{ readonly name: IconName }> = ({ name }) => (
  <svg class={`icon icon-${name}`} aria-hidden="true">
    <use href={`#icon-${name}`} />
  </svg>
);

/** All shapes, once a page: rows that are sent live then hold a reference only. */
export const IconSprite: FC = () => (
  <svg class="sprite" width="0" height="0" aria-hidden="true">
    {raw(
      Object.entries(SHAPES)
        .map(([name, shape]) => `<symbol id="icon-${name}" viewBox="0 0 16 16">${shape}</symbol>`)
        .join(''),
    )}
  </svg>
);

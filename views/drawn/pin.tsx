import type { FC } from 'hono/jsx';
import { place } from './geometry.js';

/** What happened at a moment. Each kind has a shape of its own, so that colour is never the only sign. */
export type PinKind = 'action' | 'deploy' | 'alert' | 'note' | 'event';

export interface Pin {
  readonly atMs: number;
  readonly kind: PinKind;
  /** What it was: shown where the pointer is, and said in the text alternative. */
  readonly label: string;
}

/** On a box of 12 × 12. */
const SHAPES: Readonly<Record<PinKind, string>> = {
  action: 'M1 1h10L6 11z',
  deploy: 'M6 0 12 6 6 12 0 6z',
  alert: 'M6 1 11 11H1z',
  note: 'M1 1h10v10H1z',
  event: 'M6 1a5 5 0 1 0 0 10A5 5 0 1 0 6 1z',
};

const KIND_WORDS: Readonly<Record<PinKind, string>> = {
  action: 'action',
  deploy: 'deploy',
  alert: 'alert',
  note: 'note',
  event: 'event',
};

/** @param x in percent of the drawing that it stands in. */
export const PinMark: FC<{ readonly pin: Pin; readonly x: string; readonly y: number }> = ({ pin, x, y }) => (
  <svg
    aria-hidden="true"
    class={`pin pin-${pin.kind}`}
    x={x}
    y={place(y)}
    width="12"
    height="12"
    overflow="visible"
  >
    <title>{pin.label}</title>
    <path d={SHAPES[pin.kind]} transform="translate(-6 0)" />
  </svg>
);

/** Says what the shapes mean, of those kinds that there are. */
export const PinLegend: FC<{ readonly kinds: readonly PinKind[] }> = ({ kinds }) => (
  <p class="pin-legend">
    {[...new Set(kinds)].map((kind) => (
      <span class="pin-legend-entry">
        <svg class={`pin pin-${kind}`} width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
          <path d={SHAPES[kind]} />
        </svg>{' '}
        {KIND_WORDS[kind]}
      </span>
    ))}
  </p>
);

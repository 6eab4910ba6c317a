import type { FC } from 'hono/jsx';
import { Icon, type IconName } from './icon.js';
import { Time } from './time.js';
import { coarseAge, moment } from './words.js';

/** Something that was set or set going from here and holds still. */
export interface InForceItem {
  readonly kind: 'setting' | 'paused' | 'parked' | 'replay';
  /** "analytics: concurrency 50 at every worker" */
  readonly what: string;
  /** null: not known. */
  readonly who: string | null;
  /** null: not known. */
  readonly sinceMs: number | null;
  /** When it ends by itself; null: when it is reset. */
  readonly untilMs: number | null;
  /** The reason that was given, or why it rests; empty: none. */
  readonly why: string;
  /** The way back, or to what it is; null: not for this role. */
  readonly way: { readonly label: string; readonly href: string; readonly isPage?: boolean } | null;
}

export interface InForceProps {
  readonly items: readonly InForceItem[];
  readonly nowMs: number;
}

/** More than these are counted: a strip is no list. */
const MAX_SHOWN = 12;

const ICONS: Readonly<Record<InForceItem['kind'], IconName>> = {
  setting: 'edit',
  paused: 'paused-by-spillway',
  parked: 'blocked-by-memory',
  replay: 'undo',
};

/** What differs from how it was deployed, each with the way back. Nothing of it: only its place is there. */
export const InForce: FC<InForceProps> = ({ items, nowMs }) =>
  items.length === 0 ? (
    <section id="in-force" hidden />
  ) : (
    <section id="in-force" class="in-force panel" aria-labelledby="in-force-title">
      <h2 id="in-force-title">In force</h2>
      <ul>
        {items.slice(0, MAX_SHOWN).map((item) => (
          <Item item={item} nowMs={nowMs} />
        ))}
      </ul>
      {items.length > MAX_SHOWN ? <p class="muted">and {items.length - MAX_SHOWN} more</p> : null}
    </section>
  );

const Item: FC<{ readonly item: InForceItem; readonly nowMs: number }> = ({ item, nowMs }) => {
  const { kind, what, who, sinceMs, untilMs, why, way } = item;
  return (
    <li class={`in-force-item in-force-${kind}`}>
      <span class="in-force-what">
        <Icon name={ICONS[kind]} /> {what}
      </span>
      <span class="in-force-who">
        {who ?? 'not known by whom'}
        {sinceMs === null ? null : (
          <>
            {', '}
            <time datetime={moment(sinceMs, nowMs).iso} title={moment(sinceMs, nowMs).text}>
              {coarseAge((nowMs - sinceMs) / 1000, 10)} ago
            </time>
          </>
        )}
        {untilMs === null ? null : (
          <>
            {', until '}
            <Time {...moment(untilMs, nowMs)} />
          </>
        )}
        {why === '' ? null : `: ${why}`}
      </span>
      {way === null ? null : (
        <a
          class="small-button"
          href={way.href}
          data-drawer={way.isPage ? undefined : ''}
          aria-label={`${way.label}: ${what}`}
        >
          {way.label}
        </a>
      )}
    </li>
  );
};

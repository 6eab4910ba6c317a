import type { FC } from 'hono/jsx';
import type { Actor } from '../server/model/role.js';
import { AlertCount } from './alert-count.js';

interface Place {
  readonly label: string;
  readonly href: string;
  /** What the place holds, as tabs; none: one page. */
  readonly pages: readonly { readonly label: string; readonly href: string }[];
}

/** The five places of the console, and the pages of each. */
export const PLACES: readonly Place[] = [
  { label: 'Overview', href: '/', pages: [] },
  {
    label: 'Queues',
    href: '/queues',
    pages: [
      { label: 'All queues', href: '/queues' },
      { label: 'Replays and parked jobs', href: '/replays' },
    ],
  },
  { label: 'Workers', href: '/workers', pages: [] },
  {
    label: 'Alerts',
    href: '/alerts',
    pages: [
      { label: 'Firing', href: '/alerts' },
      { label: 'Rules', href: '/alerts/rules' },
      { label: 'Channels', href: '/channels' },
    ],
  },
  {
    label: 'Activity',
    href: '/timeline',
    pages: [
      { label: 'Timeline', href: '/timeline' },
      { label: 'Incidents', href: '/incidents' },
      { label: 'Audit log', href: '/audit' },
    ],
  },
];

/** A link of the way from a place to the page. */
export interface Crumb {
  readonly label: string;
  readonly href: string;
}

export interface RedisPlace {
  readonly name: string;
  readonly href: string;
}

const placeOf = (current: string): Place | undefined =>
  PLACES.find(({ href, pages }) => href === current || pages.some((page) => page.href === current));

/** The five places. On a phone they stand at the lower edge, within the thumb's reach. */
export const MainNav: FC<{ readonly current: string; readonly firing: number }> = ({ current, firing }) => (
  <nav class="top-nav" aria-label="Pages">
    {PLACES.map((place) => (
      <a href={place.href} aria-current={place === placeOf(current) ? 'page' : undefined}>
        {place.label}
        {place.href === '/alerts' ? <AlertCount count={firing} /> : null}
      </a>
    ))}
  </nav>
);

/** The pages of the place that one is in, and the way down to this one. Empty where neither says more than the title. */
export const SubNav: FC<{ readonly current: string; readonly crumbs: readonly Crumb[] }> = ({
  current,
  crumbs,
}) => {
  if (crumbs.length > 0) {
    return (
      <nav class="crumbs" aria-label="Breadcrumb">
        <ol>
          {crumbs.map(({ label, href }) => (
            <li>
              <a href={href}>{label}</a>
            </li>
          ))}
        </ol>
      </nav>
    );
  }
  const pages = placeOf(current)?.pages ?? [];
  if (pages.length === 0) return null;
  return (
    <nav class="tabs" aria-label={`Pages of ${placeOf(current)?.label}`}>
      {pages.map(({ label, href }) => (
        <a href={href} aria-current={href === current ? 'page' : undefined}>
          {label}
        </a>
      ))}
    </nav>
  );
};

/** One Redis is a link, several are a menu. */
export const RedisSwitcher: FC<{ readonly instances: readonly RedisPlace[]; readonly current: string }> = ({
  instances,
  current,
}) => {
  const [only] = instances;
  if (!only) return null;
  if (instances.length === 1) {
    return (
      <a class="switcher" href={only.href} aria-current={only.href === current ? 'page' : undefined}>
        Redis {only.name}
      </a>
    );
  }
  const chosen = instances.find(({ href }) => href === current);
  return (
    <>
      <button type="button" class="switcher" popovertarget="redis-menu" aria-haspopup="true">
        {chosen ? `Redis ${chosen.name}` : `${instances.length} Redis`}
      </button>
      <div id="redis-menu" class="menu menu-left" popover="auto">
        {instances.map(({ name, href }) => (
          <a href={href} aria-current={href === current ? 'page' : undefined}>
            {name}
          </a>
        ))}
      </div>
    </>
  );
};

/** What is needed rarely: documentation, API, theme, who one is. */
export const UserMenu: FC<{ readonly actor: Actor }> = ({ actor }) => (
  <>
    <button type="button" class="menu-button" popovertarget="user-menu" aria-haspopup="true">
      Menu
    </button>
    <div id="user-menu" class="menu" popover="auto">
      <p class="actor">
        {actor.name} · {actor.role}
      </p>
      <a href="/docs">Documentation</a>
      <a href="/docs/api">API</a>
      <button type="button" class="theme-button" data-theme-toggle="" hidden>
        <span data-theme-text="">Theme: system</span>
      </button>
      <button type="button" data-keys-help="" hidden>
        Keyboard
      </button>
      {actor.role === 'admin' && actor.via !== 'local' && actor.via !== 'host' ? (
        <a href="/sessions">Sessions</a>
      ) : null}
      {actor.via === 'session' ? (
        <form method="post" action="/sign-out">
          <button type="submit">Sign out</button>
        </form>
      ) : null}
    </div>
  </>
);

const KEYS = [
  ['Ctrl K', 'Find a queue, job type, worker, job, page or action'],
  ['/', 'Search in this page’s table, else find'],
  ['j, k', 'Next and previous row'],
  ['Enter', 'Open what has the focus'],
  ['Esc', 'Close'],
  ['?', 'This list'],
] as const;

/** What the keyboard can do, on `?`. */
export const KeysHelp: FC = () => (
  <dialog id="keys" class="palette" aria-labelledby="keys-title">
    <h2 id="keys-title">Keyboard</h2>
    <dl class="keys">
      {KEYS.map(([key, does]) => (
        <>
          <dt>
            <kbd>{key}</kbd>
          </dt>
          <dd>{does}</dd>
        </>
      ))}
    </dl>
    <form method="dialog">
      <button type="submit" class="small-button">
        Close
      </button>
    </form>
  </dialog>
);

import { raw } from 'hono/html';
import type { Child, FC, PropsWithChildren } from 'hono/jsx';
import type { Actor } from '../server/model/role.js';
import { BlindBanner, type BlindProps } from './blind-banner.js';
import { FindButton, Palette } from './find.js';
import { IconSprite } from './icon.js';
import {
  type Crumb,
  KeysHelp,
  MainNav,
  type RedisPlace,
  RedisSwitcher,
  SubNav,
  UserMenu,
} from './navigation.js';

/** A whole page: the doctype, without which browsers fall back to old ways of laying out, and the root element. */
export const Document = ({ children }: PropsWithChildren) => (
  <>
    {raw('<!doctype html>')}
    <html lang="en">{children}</html>
  </>
);

/** A page outside of the console's frame, for those who have not been let in. */
export const PlainPage: FC<
  PropsWithChildren<{
    readonly title: string;
    readonly styles: readonly string[];
    /** Where the browser goes by itself. */
    readonly next?: string;
  }>
> = ({ title, styles, next, children }) => (
  <Document>
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      {next === undefined ? null : <meta http-equiv="refresh" content={`0;url=${next}`} />}
      <title>{`${title} · Spillway`}</title>
      {styles.map((href) => (
        <link rel="stylesheet" href={href} />
      ))}
    </head>
    <body>
      <main class="plain-page">{children}</main>
    </body>
  </Document>
);

export interface Chrome {
  readonly title: string;
  readonly favicon: 'calm' | 'warning' | 'critical' | 'blind';
  /** Addresses of style sheets, scripts and icons, with their versions. */
  readonly styles: readonly string[];
  /** Runs before the page is painted. */
  readonly themeScript: string;
  readonly scripts: readonly string[];
  readonly faviconUrl: string;
  /** Address of the page in the navigation; empty: it is in none of its places. */
  readonly current: string;
  readonly instances: readonly RedisPlace[];
  /** The way from a place to the page; empty: the page is one of the place's own. */
  readonly crumbs: readonly Crumb[];
  /** Firing, for the menu. */
  readonly alertCount: number;
  readonly actor: Actor;
  readonly storeProblem: string | null;
  readonly isReadOnly: boolean;
  readonly blind: BlindProps;
  /** Time of the server at rendering: ages count from it, whatever the viewer's clock says. */
  readonly nowMs: number;
  /** Stream of this page's changes; null where nothing changes. */
  readonly liveUrl: string | null;
}

const HTMX_CONFIG = JSON.stringify({
  extensions: 'sse,spillway',
  defaultTimeout: 15_000,
  // A server that fails must not replace what is shown by its error; the script says it.
  noSwap: [204, 304, '5xx'],
  history: 'reload',
  sse: { reconnectMaxDelay: 5_000, reconnectDelay: 500 },
});

/** What stands around every page. */
export const Layout: FC<{ readonly chrome: Chrome; readonly children?: Child }> = ({ chrome, children }) => (
  <Document>
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <meta name="htmx-config" content={HTMX_CONFIG} />
      <title>{chrome.title}</title>
      <link
        id="favicon"
        rel="icon"
        type="image/svg+xml"
        href={chrome.faviconUrl}
        data-state={chrome.favicon}
      />
      <script src={chrome.themeScript}></script>
      {chrome.styles.map((href) => (
        <link rel="stylesheet" href={href} />
      ))}
    </head>
    <body data-now-ms={String(chrome.nowMs)}>
      <a class="skip-link" href="#page">
        Skip to content
      </a>
      <IconSprite />
      <header class="top">
        <a class="wordmark" href="/">
          Spillway
        </a>
        <RedisSwitcher instances={chrome.instances} current={chrome.current} />
        <MainNav current={chrome.current} firing={chrome.alertCount} />
        <div class="top-right">
          {chrome.liveUrl ? (
            <span class="live" data-live-state="connecting">
              <span class="live-dot" aria-hidden="true"></span> <span data-live-text="">connecting</span>
            </span>
          ) : null}
          <FindButton />
          <UserMenu actor={chrome.actor} />
        </div>
      </header>
      <div class="lost" id="lost" role="alert" hidden>
        <strong>This page has lost the console.</strong> What you see is{' '}
        <span data-lost-age="">some seconds</span> old.{' '}
        <span data-lost-hint="">Trying to reach it again…</span>
      </div>
      <section aria-label="Limits of what is shown">
        <BlindBanner {...chrome.blind} />
        {chrome.isReadOnly ? (
          <p class="store-problem">
            <strong>Read-only:</strong> this console shows what is there, and changes nothing.
          </p>
        ) : null}
        {chrome.storeProblem ? (
          <p class="store-problem">
            <strong>Nothing is kept on disk:</strong> {chrome.storeProblem}
          </p>
        ) : null}
      </section>
      <SubNav current={chrome.current} crumbs={chrome.crumbs} />
      <main id="page" tabindex={-1}>
        {children}
        {chrome.liveUrl ? <LiveConnection url={chrome.liveUrl} /> : null}
      </main>
      <dialog id="drawer" class="drawer" aria-labelledby="drawer-title">
        <div id="drawer-body" data-action-view=""></div>
      </dialog>
      <Palette />
      <KeysHelp />
      {/* Not deferred: htmx would start between two deferred scripts, and miss the extensions that come after it. */}
      {chrome.scripts.map((src) => (
        <script src={src}></script>
      ))}
    </body>
  </Document>
);

/**
 * The stream. Each view has an element of its own id, so that morphing to another view ends the old stream. `every`
 * starts it again where the very first connection failed, which the extension does not try again by itself.
 */
const LiveConnection: FC<{ readonly url: string }> = ({ url }) => (
  <div
    id={`live-${idOf(url)}`}
    hidden
    data-live=""
    hx-sse:connect={url}
    hx-trigger="load, every 3s"
    hx-swap="none"
  ></div>
);

function idOf(url: string): string {
  let hash = 5381;
  for (const character of url) hash = (hash * 33 + (character.codePointAt(0) ?? 0)) % 2_147_483_647;
  return hash.toString(36);
}

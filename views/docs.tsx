import { raw } from 'hono/html';
import type { Child, FC } from 'hono/jsx';
import { type Chrome, Layout } from './layout.js';

export interface DocsLink {
  readonly href: string;
  readonly name: string;
  readonly about: string;
}

interface DocsIndexProps {
  readonly version: string;
  readonly chapters: readonly Omit<DocsLink, 'about'>[];
  readonly findings: readonly DocsLink[];
  readonly actions: readonly DocsLink[];
  readonly signals: readonly DocsLink[];
  readonly problems: readonly { readonly code: string; readonly title: string }[];
}

/** What there is to read: the chapters, and a page for each entry of the registries. */
export const DocsIndex: FC<{ readonly chrome: Chrome; readonly view: DocsIndexProps }> = ({
  chrome,
  view,
}) => (
  <Layout chrome={chrome}>
    <article class="docs">
      <h1>Documentation of Spillway {view.version}</h1>
      <ul class="docs-chapters">
        {view.chapters.map(({ href, name }) => (
          <li>
            <a href={href}>{name}</a>
          </li>
        ))}
        <li>
          <a href="/docs/api">API reference</a>
        </li>
      </ul>
      <DocsList id="findings" title="Problems" links={view.findings} />
      <DocsList id="actions" title="Actions" links={view.actions} />
      <DocsList id="signals" title="Signals" links={view.signals} />
      <h2 id="prometheus">Prometheus and Grafana</h2>
      <p>
        <a href="/metrics">/metrics</a> has all signals.{' '}
        <a href="/static/prometheus-rules.yml" download="">
          Alerting rules
        </a>{' '}
        and a{' '}
        <a href="/static/grafana-dashboard.json" download="">
          dashboard for Grafana
        </a>{' '}
        are ready to be loaded.
      </p>
      <h2>Errors of the API</h2>
      <dl class="docs-terms">
        {view.problems.map(({ code, title }) => (
          <>
            <dt id={`problem-${code}`}>
              <code>{code}</code>
            </dt>
            <dd>{title}</dd>
          </>
        ))}
      </dl>
    </article>
  </Layout>
);

const DocsList: FC<{ readonly id: string; readonly title: string; readonly links: readonly DocsLink[] }> = ({
  id,
  title,
  links,
}) => (
  <details class="docs-list" id={id}>
    <summary>
      {title} <span class="muted">{links.length}</span>
    </summary>
    <dl class="docs-terms">
      {links.map(({ href, name, about }) => (
        <>
          <dt>
            <a href={href}>
              <code>{name}</code>
            </a>
          </dt>
          <dd>{about}</dd>
        </>
      ))}
    </dl>
  </details>
);

export interface DocsEntryProps {
  readonly title: string;
  readonly about: string;
  /** Heading and text of each part; those without text are left out. */
  readonly parts: readonly { readonly title: string; readonly text: Child }[];
}

/** One entry of a registry. */
export const DocsEntry: FC<{ readonly chrome: Chrome; readonly view: DocsEntryProps }> = ({
  chrome,
  view,
}) => (
  <Layout chrome={chrome}>
    <article class="docs">
      <h1>
        <code>{view.title}</code>
      </h1>
      <p class="docs-about">{view.about}</p>
      {view.parts.map(({ title, text }) => (
        <>
          <h2>{title}</h2>
          {typeof text === 'string' ? <p>{text}</p> : text}
        </>
      ))}
    </article>
  </Layout>
);

/** A chapter of docs/, as HTML made from our own Markdown. */
export const DocsChapter: FC<{ readonly chrome: Chrome; readonly html: string }> = ({ chrome, html }) => (
  <Layout chrome={chrome}>
    <article class="docs">{raw(html)}</article>
  </Layout>
);

/** The reference of the API, drawn by Swagger UI from the console's own description. */
export const ApiReference: FC<{
  readonly chrome: Chrome;
  /** Methods that this role may try. */
  readonly methods: readonly string[];
}> = ({ chrome, methods }) => (
  <Layout chrome={chrome}>
    <h1 class="visually-hidden">API reference</h1>
    <p class="docs-api-note">
      <a href="/api/v1/openapi.json">OpenAPI 3.1 document</a> · Send{' '}
      <code>Authorization: Bearer &lt;token&gt;</code> where tokens are configured. Trying a call here makes
      it, on the Redis that is watched: add <code>?dryRun=true</code> to a change to see what it would do.
    </p>
    <div id="api-reference" data-methods={methods.join(' ')}>
      <noscript>The reference takes a script; the OpenAPI document says the same.</noscript>
    </div>
  </Layout>
);

import { readdirSync, readFileSync } from 'node:fs';
import { serveStatic } from '@hono/node-server/serve-static';
import { Hono } from 'hono';
import type { Child } from 'hono/jsx';
import { Marked } from 'marked';
import { z } from 'zod';
import {
  ApiReference,
  DocsChapter,
  DocsEntry,
  type DocsEntryProps,
  DocsIndex,
  type DocsLink,
} from '../../../views/docs.js';
import { ACTIONS, findAction } from '../../actions/index.js';
import { FINDING_RULES } from '../../findings/index.js';
import { OWN_FINDING_RULES } from '../../findings/own-findings.js';
import { RUNBOOKS } from '../../findings/runbooks.js';
import type { Thresholds } from '../../model/finding.js';
import { formatBytes, formatDuration } from '../../model/format.js';
import { type Actor, includesRole } from '../../model/role.js';
import { packagePath } from '../../process/package-path.js';
import { SIGNALS, signalNamed } from '../../signals/index.js';
import type { AppDeps } from '../app-deps.js';
import type { GateEnv } from '../gate.js';
import { PROBLEM_TITLES, Problem } from '../problem.js';
import { chromeOf } from './chrome.js';

/** In the order in which one reads them; what docs/ holds besides comes after. */
const FIRST = ['start', 'page', 'actions', 'agent', 'replays', 'alerts', 'incidents', 'api', 'deploy'];
const CRUMB = { label: 'Documentation', href: '/docs' };

/** /docs: the chapters of docs/, a page for each finding, action and signal, and the reference of the API. */
export function docsRoutes(deps: AppDeps): Hono<GateEnv> {
  // Made when first asked for: the start has no use for them.
  let made: ReturnType<typeof chaptersOf> | null = null;
  const chapters = () => {
    made ??= chaptersOf();
    return made;
  };
  const frame = (actor: Actor, subject: string) => ({
    actor,
    nowMs: deps.now(),
    current: '',
    subject,
    liveUrl: null,
  });
  const chromeAt = (actor: Actor, subject: string) =>
    chromeOf(deps, { ...frame(actor, subject), crumbs: subject === CRUMB.label ? [] : [CRUMB] });
  const entry = (actor: Actor, view: DocsEntryProps | null) => {
    if (!view) throw new Problem(404, 'not-found', 'there is no page of documentation for that');
    return <DocsEntry chrome={chromeAt(actor, view.title)} view={view} />;
  };
  return new Hono<GateEnv>()
    .get('/docs', (c) =>
      c.html(
        <DocsIndex
          chrome={chromeAt(c.get('actor'), CRUMB.label)}
          view={{
            version: deps.version,
            chapters: [...chapters()].map(([name, { title }]) => ({ href: `/docs/${name}`, name: title })),
            findings: rules().map(({ code, about }) => linkOf('findings', code, about)),
            actions: ACTIONS.map(({ name, title }) => linkOf('actions', name, title)),
            signals: SIGNALS.map(({ name, help }) => linkOf('signals', name, help)),
            problems: Object.entries(PROBLEM_TITLES).map(([code, title]) => ({ code, title })),
          }}
        />,
      ),
    )
    .get('/docs/api', (c) => {
      const actor = c.get('actor');
      const chrome = chromeOf(deps, { ...frame(actor, 'API'), crumbs: [CRUMB], hasApiReference: true });
      const methods = includesRole(actor.role, 'operator')
        ? ['get', 'post', 'put', 'patch', 'delete']
        : ['get'];
      return c.html(<ApiReference chrome={chrome} methods={methods} />);
    })
    .get(
      '/docs/vendor/*',
      serveStatic({
        root: packagePath('dist'),
        rewriteRequestPath: (path) => path.slice('/docs'.length),
        precompressed: true,
      }),
    )
    .get('/docs/findings/:code', (c) =>
      c.html(entry(c.get('actor'), findingDoc(c.req.param('code'), deps.thresholds))),
    )
    .get('/docs/actions/:name', (c) => c.html(entry(c.get('actor'), actionDoc(c.req.param('name')))))
    .get('/docs/signals/:name', (c) => c.html(entry(c.get('actor'), signalDoc(c.req.param('name')))))
    .get('/docs/:chapter', (c) => {
      const chapter = chapters().get(c.req.param('chapter'));
      if (!chapter) throw new Problem(404, 'not-found', 'there is no such chapter');
      return c.html(<DocsChapter chrome={chromeAt(c.get('actor'), chapter.title)} html={chapter.html} />);
    });
}

const rules = () => [...FINDING_RULES, ...OWN_FINDING_RULES];
const linkOf = (kind: string, name: string, about: string): DocsLink => ({
  href: `/docs/${kind}/${name}`,
  name,
  about,
});

function findingDoc(code: string, thresholds: Thresholds): DocsEntryProps | null {
  const rule = rules().find((one) => one.code === code);
  const runbook = RUNBOOKS[code];
  if (!rule || !runbook) return null;
  const settings = (runbook.thresholds ?? []).map(
    (name) => `thresholds.${name}: ${inUnits(name, thresholds[name])}`,
  );
  return {
    title: code,
    about: rule.about,
    parts: [
      { title: 'Why', text: runbook.why },
      { title: 'Look at', text: runbook.look },
      { title: 'Do', text: runbook.act },
      ...(runbook.actions.length > 0
        ? [{ title: 'Actions', text: links(runbook.actions.map((name) => linkOf('actions', name, ''))) }]
        : []),
      ...(settings.length > 0 ? [{ title: 'Thresholds here', text: settings.join(' · ') }] : []),
      { title: 'What it can’t know', text: runbook.unknown },
    ],
  };
}

/** A threshold in the unit that its name says. */
function inUnits(name: keyof Thresholds, value: number): string {
  if (name.endsWith('Ratio')) return `${Math.round(value * 100)}%`;
  if (name.endsWith('Seconds')) return formatDuration(value);
  if (name.endsWith('Bytes')) return formatBytes(value);
  return `${value} jobs`;
}

function actionDoc(name: string): DocsEntryProps | null {
  const action = findAction(name);
  if (!action) return null;
  const findings = Object.entries(RUNBOOKS).filter(([, { actions }]) => actions.includes(name));
  return {
    title: name,
    about: action.about,
    parts: [
      {
        title: 'Who may',
        text: `${action.role}, on ${action.scope === 'instance' ? 'a Redis' : `a ${action.scope}`}`,
      },
      ...(action.isDestructive
        ? [{ title: 'Takes away', text: 'What it removes is gone: it asks before.' }]
        : []),
      { title: 'By API', text: <pre tabindex={0}>{`POST /api/v1/actions/${name}`}</pre> },
      {
        title: 'Arguments',
        text: (
          <pre tabindex={0}>{JSON.stringify(z.toJSONSchema(action.schema, { io: 'input' }), null, 2)}</pre>
        ),
      },
      ...(findings.length > 0
        ? [{ title: 'Helps with', text: links(findings.map(([code]) => linkOf('findings', code, ''))) }]
        : []),
    ],
  };
}

function signalDoc(name: string): DocsEntryProps | null {
  const signal = signalNamed(name);
  if (!signal) return null;
  return {
    title: name,
    about: signal.help,
    parts: [
      { title: 'Unit', text: `${signal.unit}, ${signal.kind}, for each ${signal.scope}` },
      { title: 'In Prometheus', text: <pre tabindex={0}>{`spillway_${name}`}</pre> },
      { title: 'Not known', text: 'Then it has no value: it is in no sum, and a gap in charts.' },
    ],
  };
}

const links = (all: readonly DocsLink[]): Child => (
  <ul>
    {all.map(({ href, name }) => (
      <li>
        <a href={href}>
          <code>{name}</code>
        </a>
      </li>
    ))}
  </ul>
);

/** The chapters by name, made into HTML once: they are ours, and don't change while the console runs. */
function chaptersOf(): ReadonlyMap<string, { readonly title: string; readonly html: string }> {
  const marked = new Marked({
    walkTokens: (token) => {
      if (token.type === 'link') token.href = hrefOf(token.href);
    },
    renderer: {
      // What scrolls can be reached by keyboard.
      code({ text }) {
        return `<pre tabindex="0"><code>${text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)}</code></pre>\n`;
      },
      heading({ tokens, depth, text }) {
        return `<h${depth} id="${anchorOf(text)}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
      },
    },
  });
  const names = readdirSync(packagePath('docs')).flatMap((file) => /^(.*)\.md$/.exec(file)?.[1] ?? []);
  const ordered = [...FIRST, ...names.filter((name) => !FIRST.includes(name))];
  return new Map(
    ordered.map((name) => {
      const text = readFileSync(packagePath(`docs/${name}.md`), 'utf8');
      return [
        name,
        { title: /^# (.*)$/m.exec(text)?.[1] ?? name, html: marked.parse(text, { async: false }) },
      ];
    }),
  );
}

/** `alerts.md#rules` → `/docs/alerts#rules`; files that the console serves stay what they are. */
function hrefOf(href: string): string {
  return href.replace(/^(\w[\w-]*)\.md/, '/docs/$1').replace(/^\.\.\/static\//, '/static/');
}

/** As readers of Markdown make them. */
function anchorOf(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

import type { BlindProps } from '../../../views/blind-banner.js';
import type { Chrome } from '../../../views/layout.js';
import { instancePath, queuePath } from '../../../views/links.js';
import { coarseAge } from '../../../views/words.js';
import type { Finding } from '../../model/finding.js';
import { formatThings } from '../../model/format.js';
import type { Actor } from '../../model/role.js';
import { freshnessOf } from '../../model/sight.js';
import type { QueueState } from '../../model/snapshot.js';
import { plainName } from '../../model/words.js';
import type { Watch } from '../../watch/watch.js';
import type { AppDeps } from '../app-deps.js';
import { assetUrl } from './assets.js';

const STYLES = [
  'tokens.css',
  'base.css',
  'drawn-time.css',
  'drawn-parts.css',
  'drawn.css',
  'top.css',
  'navigation.css',
  'band.css',
  'overview.css',
  'findings.css',
  'queue-table.css',
  'queue-cards.css',
  'workers.css',
  'job-types.css',
  'memory.css',
  'replays.css',
  'channels.css',
  'alerts.css',
  'drawer.css',
  'preview.css',
  'forecast.css',
  'detail.css',
  'chart-range.css',
  'timeline.css',
  'docs.css',
];
const SCRIPTS = [
  'vendor/htmx.min.js',
  'vendor/hx-sse.min.js',
  'app.js',
  'lists.js',
  'drawer.js',
  'timeline.js',
  'find.js',
];
const CHART_SCRIPTS = [
  'vendor/chart.umd.min.js',
  'vendor/chartjs-plugin-annotation.min.js',
  'chart-look.js',
  'chart-history.js',
  'charts.js',
];

interface PageFrame {
  readonly actor: Actor;
  readonly nowMs: number;
  /** Address of the page in the navigation. */
  readonly current: string;
  /** What the page is about; the worst state comes before it in the title. */
  readonly subject: string;
  readonly liveUrl: string | null;
  readonly hasCharts?: boolean;
  readonly hasApiReference?: boolean;
  /** The way down to the page, from a place of the navigation. */
  readonly crumbs?: Chrome['crumbs'];
}

export function chromeOf(deps: AppDeps, frame: PageFrame): Chrome {
  const { watch, storeProblem, isReadOnly } = deps;
  const worst = worstOf(deps, frame.nowMs);
  const scripts = frame.hasCharts ? [...SCRIPTS, ...CHART_SCRIPTS] : SCRIPTS;
  return {
    title: titleOf(worst, frame.subject),
    favicon: worst.state,
    faviconUrl: assetUrl(`favicon-${worst.state}.svg`),
    styles: [...STYLES.map(assetUrl), ...(frame.hasApiReference ? ['/docs/vendor/swagger-ui.css'] : [])],
    themeScript: assetUrl('theme.js'),
    scripts: [
      ...scripts.map(assetUrl),
      ...(frame.hasApiReference ? ['/docs/vendor/swagger-ui-bundle.js', assetUrl('api-reference.js')] : []),
    ],
    current: frame.current,
    instances: watch.snapshots().map(({ instance }) => ({ name: instance, href: instancePath(instance) })),
    crumbs: frame.crumbs ?? [],
    alertCount: deps.alerts.firingCount(),
    actor: frame.actor,
    storeProblem,
    isReadOnly,
    blind: blindOf(watch, frame.nowMs),
    nowMs: frame.nowMs,
    liveUrl: frame.liveUrl,
  };
}

/** The way down to a queue, or to what is of it. */
export function crumbsTo(instance: string, queue?: Pick<QueueState, 'id' | 'name'>): Chrome['crumbs'] {
  return [
    { label: 'Queues', href: '/queues' },
    { label: `Redis ${plainName(instance)}`, href: instancePath(instance) },
    ...(queue ? [{ label: plainName(queue.name), href: queuePath(instance, queue.id) }] : []),
  ];
}

interface Worst {
  readonly state: Chrome['favicon'];
  /** A few words; empty while calm. */
  readonly words: string;
  readonly finding: Finding | null;
}

/**
 * What stands first in the title, in the favicon, and at the top of the overview: the worst finding, else that the console
 * can't see, else that an alert fires still. Calm is only said where none of them holds.
 */
export function worstOf({ watch, alerts }: Pick<AppDeps, 'watch' | 'alerts'>, nowMs: number): Worst {
  const isBlind = watch.snapshots().some((snapshot) => !freshnessOf(snapshot, nowMs).isLive);
  const finding = watch.findings()[0] ?? null;
  if (finding && finding.severity !== 'info')
    return { state: finding.severity, words: finding.headline, finding };
  if (isBlind) return { state: 'blind', words: 'connecting', finding: null };
  const firing = alerts.firingCount();
  if (firing > 0)
    return { state: 'warning', words: `${formatThings(firing, 'alert')} still firing`, finding: null };
  return { state: 'calm', words: '', finding: null };
}

const TITLE_SIGNS = { critical: '●', warning: '▲', blind: '○', calm: '✓' } as const;

export function titleOf(worst: Worst, subject: string): string {
  const words = worst.words === '' ? 'calm' : worst.words;
  const page = subject === '' ? '' : ` · ${plainName(subject)}`;
  return `${TITLE_SIGNS[worst.state]} ${words}${page} · Spillway`;
}

export function blindOf(watch: Watch, nowMs: number): BlindProps {
  const snapshots = watch.snapshots();
  const redises = snapshots.flatMap((snapshot) => {
    const { isLive, ageSeconds } = freshnessOf(snapshot, nowMs);
    if (isLive) return [];
    return [
      {
        name: snapshot.instance,
        lastReadAtMs: snapshot.link.lastReadAtMs,
        age: ageSeconds === null ? '' : coarseAge(ageSeconds),
        problem: snapshot.link.problem
          ? `${snapshot.link.problem.replace(/\.+$/, '')}.`
          : 'It does not answer.',
      },
    ];
  });
  return { redises, isAll: redises.length > 0 && redises.length === snapshots.length };
}

import { Band, bandId, fullInWords, trendInWords } from '../../../views/band.js';
import { type ChartProps, chartTexts } from '../../../views/chart.js';
import type { ChartTime } from '../../../views/chart-range.js';
import {
  InstancePage,
  type InstanceProps,
  MemoryPage,
  NodePanel,
  nodeId,
  Polling,
} from '../../../views/instance-page.js';
import { instancePath } from '../../../views/links.js';
import { Holders, NodeMemories } from '../../../views/memory-holders.js';
import { formatBytes, formatCount, formatRate } from '../../model/format.js';
import { fullestNode } from '../../model/queue-verdict.js';
import { type Actor, includesRole, type Role } from '../../model/role.js';
import type { Snapshot } from '../../model/snapshot.js';
import { plainName } from '../../model/words.js';
import { snapshotOf } from '../api/env.js';
import type { AppDeps } from '../app-deps.js';
import type { LiveView } from '../live/hub.js';
import { eventPart, html, type Part, swapPart } from '../live/hub.js';
import { chromeOf } from './chrome.js';
import { findingListOf, findingParts } from './finding-parts.js';
import { bandOf, frameParts } from './overview.js';
import { latestPast } from './overview-past.js';
import { withoutInWords } from './verdict.js';

export function instancePage(deps: AppDeps, actor: Actor, instance: string, time: ChartTime) {
  const view = instanceOf(deps, snapshotOf(deps, instance), actor.role);
  const liveUrl = `/live?${new URLSearchParams({ view: 'instance', instance })}`;
  const place = { current: instancePath(instance), subject: instance, hasCharts: true };
  const chrome = chromeOf(deps, { actor, nowMs: view.nowMs, ...place, liveUrl });
  return <InstancePage chrome={chrome} view={view} time={time} />;
}

export function memoryPage(deps: AppDeps, actor: Actor, instance: string) {
  const view = memoryOf(deps, snapshotOf(deps, instance), actor.role);
  const liveUrl = `/live?${new URLSearchParams({ view: 'memory', instance })}`;
  const crumbs = [{ label: `Redis ${plainName(instance)}`, href: instancePath(instance) }];
  const place = { current: '', crumbs, subject: `memory of ${instance}` };
  return <MemoryPage chrome={chromeOf(deps, { actor, nowMs: deps.now(), ...place, liveUrl })} view={view} />;
}

/** What changes on the page of one Redis. null where there is no such Redis. */
export function instanceLive(deps: AppDeps, role: Role, instance: string): LiveView | null {
  return liveOf(deps, instance, ['instance', role, instance], (snapshot) => {
    const { band, findings, charts, nowMs } = instanceOf(deps, snapshot, role);
    return [
      ...frameParts(deps, nowMs, instance),
      swapPart(bandId(instance), html(<Band {...band} />)),
      ...findingParts(findings),
      swapPart('memory-holders', html(<Holders snapshot={snapshot} length="short" />)),
      ...snapshot.nodes.map((node) =>
        swapPart(nodeId(node), html(<NodePanel node={node} isOneOfMany={snapshot.nodes.length > 1} />)),
      ),
      swapPart('reading', html(<Polling snapshot={snapshot} nowMs={nowMs} />)),
      eventPart('charts', 'charts', chartTexts(charts)),
    ];
  });
}

/** What changes on the page of an instance's memory. null where there is no such Redis. */
export function memoryLive(deps: AppDeps, role: Role, instance: string): LiveView | null {
  return liveOf(deps, instance, ['memory', role, instance], (snapshot) => {
    const { band, findings } = memoryOf(deps, snapshot, role);
    return [
      ...frameParts(deps, deps.now(), `memory of ${instance}`),
      swapPart(bandId(instance), html(<Band {...band} />)),
      ...findingParts(findings),
      swapPart('memory-holders', html(<Holders snapshot={snapshot} length="whole" />)),
      swapPart('memory-nodes', html(<NodeMemories nodes={snapshot.nodes} />)),
    ];
  });
}

function liveOf(
  deps: AppDeps,
  instance: string,
  key: readonly string[],
  render: (snapshot: Snapshot) => readonly Part[],
): LiveView | null {
  if (!deps.watch.snapshot(instance)) return null;
  return {
    key: JSON.stringify(key),
    render: () => {
      const snapshot = deps.watch.snapshot(instance);
      return snapshot ? render(snapshot) : [];
    },
  };
}

function instanceOf(deps: AppDeps, snapshot: Snapshot, role: Role): InstanceProps {
  const nowMs = deps.now();
  const { instance } = snapshot;
  return {
    snapshot,
    nowMs,
    band: { ...bandOf(deps, snapshot, latestPast(deps), nowMs), isWhole: true },
    findings: findingListOf(deps, role, nowMs, (finding) => finding.instance === instance),
    charts: chartsOf(snapshot),
    mayRaise: includesRole(role, 'admin'),
  };
}

function memoryOf(deps: AppDeps, snapshot: Snapshot, role: Role) {
  const nowMs = deps.now();
  const isShown = ({ instance, code }: { readonly instance: string; readonly code: string }): boolean =>
    instance === snapshot.instance && /^(memory|redis)\./.test(code);
  return {
    snapshot,
    band: bandOf(deps, snapshot, latestPast(deps), nowMs),
    findings: findingListOf(deps, role, nowMs, isShown),
  };
}

function chartsOf(snapshot: Snapshot): readonly ChartProps[] {
  const node = fullestNode(snapshot);
  const limit = node?.limit ?? null;
  const source = {
    href: `${instancePath(snapshot.instance)}/series.json`,
    history: String(new URLSearchParams({ instance: snapshot.instance })),
  };
  const sum = (read: (queue: Snapshot['queues'][number]) => number): number =>
    snapshot.queues.reduce((total, queue) => total + read(queue), 0);
  const added = formatRate(sum(({ rates }) => rates?.arrivalsPerSecond ?? 0));
  const processed = formatRate(sum(({ rates }) => rates?.departuresPerSecond ?? 0));
  const without = withoutInWords(snapshot.unread.queues.length);
  return [
    {
      ...source,
      id: 'chart-memory',
      title: 'Memory',
      text: node
        ? `${formatBytes(node.countedBytes)} of ${limit ? formatBytes(limit.bytes) : 'no limit'}, ${trendInWords(node.forecast?.growthBytesPerSecond ?? null)}, ${fullInWords(node)}`
        : 'not read yet',
      unit: 'bytes',
      lines: [{ label: 'used', key: 'usedBytes', signal: 'counted_bytes', colour: 'one' }],
      limit:
        limit && snapshot.nodes.length === 1
          ? { value: limit.bytes, label: `${limit.source} ${formatBytes(limit.bytes)}` }
          : null,
    },
    {
      ...source,
      id: 'chart-backlog',
      title: 'Waiting, all queues',
      text: `${formatCount(sum(({ backlog }) => backlog))} jobs${without}`,
      unit: 'jobs',
      lines: [{ label: 'waiting', key: 'backlog', signal: 'backlog_jobs', colour: 'one' }],
      limit: null,
    },
    {
      ...source,
      id: 'chart-rates',
      title: 'Jobs per second, all queues',
      text: `${added} added, ${processed} processed${without}`,
      unit: 'perSecond',
      lines: [
        { label: 'added', key: 'arrivalsPerSecond', signal: 'arrivals_per_second', colour: 'two' },
        { label: 'processed', key: 'departuresPerSecond', signal: 'departures_per_second', colour: 'one' },
      ],
      limit: null,
    },
  ];
}

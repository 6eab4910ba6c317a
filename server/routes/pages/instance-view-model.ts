import { fullInWords, trendInWords } from '../../../views/band.js';
import type { ChartProps } from '../../../views/chart.js';
import type { InstanceProps, NodeProps } from '../../../views/instance-page.js';
import { actionPath, instancePath } from '../../../views/links.js';
import type { Fact } from '../../../views/state.js';
import { coarseAge, elementId, UNKNOWN } from '../../../views/words.js';
import { formatBytes, formatCount, formatDuration, formatRate, formatRatio } from '../../model/format.js';
import { fullestNode } from '../../model/queue-verdict.js';
import { includesRole, type Role } from '../../model/role.js';
import type { Capabilities, CapabilityName } from '../../model/sight.js';
import type { RedisNode, Snapshot } from '../../model/snapshot.js';
import type { AppDeps } from '../app-deps.js';
import { findingListOf } from './finding-parts.js';
import { holdersOf } from './memory-view-model.js';
import { bandOf } from './overview.js';
import { latestPast } from './overview-past.js';
import { withoutInWords } from './verdict.js';

/** Everything of one Redis. */
export function instanceOf(deps: AppDeps, snapshot: Snapshot, role: Role, nowMs: number): InstanceProps {
  return {
    band: { ...bandOf(deps, snapshot, latestPast(deps), nowMs), isWhole: true },
    findings: instanceFindings(deps, snapshot.instance, role, nowMs),
    charts: chartsOf(snapshot),
    holders: holdersOf(snapshot, 'short'),
    nodes: snapshot.nodes.map((node) => nodeOf(node, snapshot.nodes.length > 1)),
    permissions: permissionsOf(snapshot.capabilities),
    reading: readingOf(snapshot, nowMs),
    actions: includesRole(role, 'admin')
      ? [
          {
            label: 'Raise maxmemory',
            href: actionPath({ action: 'redis.raise-maxmemory', instance: snapshot.instance }),
          },
        ]
      : [],
  };
}

export function instanceFindings(deps: AppDeps, instance: string, role: Role, nowMs: number) {
  return findingListOf(deps, role, nowMs, (finding) => finding.instance === instance);
}

function chartsOf(snapshot: Snapshot): readonly ChartProps[] {
  const node = fullestNode(snapshot);
  const limit = node?.limit ?? null;
  const href = `${instancePath(snapshot.instance)}/series.json`;
  const history = String(new URLSearchParams({ instance: snapshot.instance }));
  const totals = snapshot.queues.reduce(
    (sum, queue) => ({
      backlog: sum.backlog + queue.backlog,
      arrivals: sum.arrivals + (queue.rates?.arrivalsPerSecond ?? 0),
      departures: sum.departures + (queue.rates?.departuresPerSecond ?? 0),
    }),
    { backlog: 0, arrivals: 0, departures: 0 },
  );
  const without = withoutInWords(snapshot.unread.queues.length);
  return [
    {
      id: 'chart-memory',
      title: 'Memory',
      text: node
        ? `${formatBytes(node.countedBytes)} of ${limit ? formatBytes(limit.bytes) : 'no limit'}, ${trendInWords(node.forecast?.growthBytesPerSecond ?? null)}, ${fullInWords(node)}`
        : 'not read yet',
      unit: 'bytes',
      lines: [{ label: 'used', key: 'usedBytes', signal: 'counted_bytes', colour: 'one' }],
      href,
      history,
      limit:
        limit && snapshot.nodes.length === 1
          ? { value: limit.bytes, label: `${limit.source} ${formatBytes(limit.bytes)}` }
          : null,
    },
    {
      id: 'chart-backlog',
      title: 'Waiting, all queues',
      text: `${formatCount(totals.backlog)} jobs${without}`,
      unit: 'jobs',
      lines: [{ label: 'waiting', key: 'backlog', signal: 'backlog_jobs', colour: 'one' }],
      href,
      history,
      limit: null,
    },
    {
      id: 'chart-rates',
      title: 'Jobs per second, all queues',
      text: `${formatRate(totals.arrivals)} in, ${formatRate(totals.departures)} out${without}`,
      unit: 'perSecond',
      lines: [
        { label: 'in', key: 'arrivalsPerSecond', signal: 'arrivals_per_second', colour: 'two' },
        { label: 'out', key: 'departuresPerSecond', signal: 'departures_per_second', colour: 'one' },
      ],
      href,
      history,
      limit: null,
    },
  ];
}

export function nodeOf(node: RedisNode, isOneOfMany: boolean): NodeProps {
  return {
    id: elementId('node', node.id),
    title: isOneOfMany ? `Node ${node.address}` : 'Server',
    facts: [...memoryFacts(node), ...trafficFacts(node), ...replicationFacts(node)],
  };
}

function memoryFacts(node: RedisNode): readonly Fact[] {
  return [
    { label: 'Used', value: formatBytes(node.usedBytes) },
    { label: 'Resident', value: formatBytes(node.rssBytes), hint: 'What the process holds of its host' },
    { label: 'maxmemory', value: node.maxBytes === 0 ? 'none' : formatBytes(node.maxBytes) },
    { label: 'Host', value: node.hostBytes === null ? UNKNOWN : formatBytes(node.hostBytes) },
    { label: 'Fragmentation', value: node.fragmentationRatio.toFixed(2), hint: 'Resident / used' },
    {
      label: 'Evicted keys',
      value: formatCount(node.evictedKeys),
      ...(node.evictedPerSecond > 0 ? { state: 'critical' as const } : {}),
    },
    { label: 'Output buffers', value: formatBytes(node.clientOutputBytes) },
  ];
}

function trafficFacts(node: RedisNode): readonly Fact[] {
  return [
    {
      label: 'Clients',
      value: `${formatCount(node.connectedClients)}, ${formatCount(node.blockedClients)} blocked`,
    },
    { label: 'Ops', value: `${formatCount(node.opsPerSecond)}/s` },
    { label: 'CPU of a core', value: formatRatio(node.cpuRatio) },
    { label: 'Console’s share', value: formatRatio(node.ownCpuRatio) },
    { label: 'Up', value: coarseAge(node.uptimeSeconds) },
  ];
}

function replicationFacts(node: RedisNode): readonly Fact[] {
  const lag = node.replicationLagBytes;
  return [
    { label: 'Role', value: node.isReadOnly ? 'replica, read-only' : node.role },
    { label: 'Replicas', value: formatCount(node.replicas) },
    { label: 'Furthest behind', value: lag === null ? UNKNOWN : formatBytes(lag) },
    { label: 'Replication backlog', value: formatBytes(node.replicationBacklogBytes) },
    ...(node.replicationLinkUp
      ? []
      : [{ label: 'Link to master', value: 'down', state: 'critical' as const }]),
  ];
}

const PERMISSIONS: readonly (readonly [CapabilityName, string])[] = [
  ['canWrite', 'write: pause, resume, limits, trims'],
  ['canRunScripts', 'run scripts: what makes actions work while Redis is full'],
  ['canSetConfig', 'set maxmemory'],
  ['canReadConfig', 'read settings'],
  ['canListClients', 'list clients: how many workers are connected'],
  ['canMeasureMemory', 'measure memory: what each queue holds'],
];

function permissionsOf(capabilities: Capabilities | null): InstanceProps['permissions'] {
  if (!capabilities) return [];
  return PERMISSIONS.map(([name, what]) => ({
    what,
    isAllowed: capabilities[name],
    detail: capabilities[name] ? '' : (capabilities.refusals[name] ?? 'refused'),
  }));
}

export function readingOf({ poll, discovery, queues, unread }: Snapshot, nowMs: number): readonly string[] {
  const every = formatDuration(poll.intervalMs / 1000);
  return [
    `One poller reads it every ${every}, whatever the number of viewers${poll.isSlowed && poll.slowedBecause ? `; slowed down because ${poll.slowedBecause}` : ''}.`,
    `That costs ${formatRatio(poll.ownCpuRatio)} of one core of Redis; the budget is ${formatRatio(poll.budgetRatio)}.`,
    discovery.lastPassAtMs === null
      ? 'It still looks for queues for the first time.'
      : `It knows ${formatCount(queues.length + unread.queues.length)} queues${unread.queues.length > 0 ? `, of which it can not read ${formatCount(unread.queues.length)}` : ''}; the last look through all ${formatCount(discovery.keys)} keys ended ${coarseAge((nowMs - discovery.lastPassAtMs) / 1000)} ago.`,
    `${formatCount(poll.ticks)} reads so far, ${formatCount(poll.failedTicks)} failed.`,
  ];
}

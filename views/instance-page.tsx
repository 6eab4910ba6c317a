import type { FC } from 'hono/jsx';
import { formatBytes, formatCount, formatDuration, formatRatio } from '../server/model/format.js';
import type { Capabilities, CapabilityName } from '../server/model/sight.js';
import type { RedisNode, Snapshot } from '../server/model/snapshot.js';
import { Band, type BandProps } from './band.js';
import { Chart, type ChartProps } from './chart.js';
import { ChartRange, type ChartTime } from './chart-range.js';
import { FindingList, type FindingListProps } from './finding.js';
import { type Chrome, Layout } from './layout.js';
import { actionPath } from './links.js';
import { Holders, NodeMemories } from './memory-holders.js';
import { type Fact, Facts } from './state.js';
import { coarseAge, elementId, UNKNOWN } from './words.js';

export interface InstanceProps {
  readonly snapshot: Snapshot;
  readonly nowMs: number;
  readonly band: BandProps;
  readonly findings: FindingListProps;
  readonly charts: readonly ChartProps[];
  readonly mayRaise: boolean;
}

/** One Redis with all that is known of it. */
export const InstancePage: FC<{
  readonly chrome: Chrome;
  readonly view: InstanceProps;
  readonly time: ChartTime;
}> = ({ chrome, time, view: { snapshot, nowMs, band, findings, charts, mayRaise } }) => (
  <Layout chrome={chrome}>
    <h1 class="visually-hidden">Redis {snapshot.instance}</h1>
    <div class="bands">
      <Band {...band} />
    </div>
    {mayRaise ? (
      <p class="action-row">
        <a
          class="button"
          href={actionPath({ action: 'redis.raise-maxmemory', instance: snapshot.instance })}
          data-drawer=""
        >
          Raise maxmemory
        </a>
      </p>
    ) : null}
    <Problems findings={findings} />
    <ChartRange chosen={time} nowMs={nowMs} />
    <div class="charts">
      {charts.map((chart) => (
        <Chart {...chart} />
      ))}
    </div>
    <Holders snapshot={snapshot} length="short" />
    {snapshot.nodes.map((node) => (
      <NodePanel node={node} isOneOfMany={snapshot.nodes.length > 1} />
    ))}
    <Permissions capabilities={snapshot.capabilities} />
    <Polling snapshot={snapshot} nowMs={nowMs} />
  </Layout>
);

/** Where the memory of one Redis is: who holds it, as what, and what lies beside queues. */
export const MemoryPage: FC<{
  readonly chrome: Chrome;
  readonly view: Pick<InstanceProps, 'snapshot' | 'band' | 'findings'>;
}> = ({ chrome, view: { snapshot, band, findings } }) => (
  <Layout chrome={chrome}>
    <h1>Memory of Redis {snapshot.instance}</h1>
    <div class="bands">
      <Band {...band} />
    </div>
    <Problems findings={findings} />
    <Holders snapshot={snapshot} length="whole" />
    <NodeMemories nodes={snapshot.nodes} />
  </Layout>
);

const Problems: FC<{ readonly findings: FindingListProps }> = ({ findings }) => (
  <section class="findings-section is-folded" aria-labelledby="findings-title">
    <h2 id="findings-title">Problems</h2>
    <FindingList {...findings} />
  </section>
);

/** The element of a node, for its live part. */
export const nodeId = (node: RedisNode): string => elementId('node', node.id);

/** One process: memory, traffic, replication. */
export const NodePanel: FC<{ readonly node: RedisNode; readonly isOneOfMany: boolean }> = ({
  node,
  isOneOfMany,
}) => {
  const title = isOneOfMany ? `Node ${node.address}` : 'Server';
  return (
    <section class="panel" id={nodeId(node)} aria-label={title}>
      <h2>{title}</h2>
      <Facts facts={factsOf(node)} />
    </section>
  );
};

function factsOf(node: RedisNode): readonly Fact[] {
  const lag = node.replicationLagBytes;
  const evicts = node.evictedPerSecond > 0;
  const clients = `${formatCount(node.connectedClients)}, ${formatCount(node.blockedClients)} blocked`;
  return [
    { label: 'Used', value: formatBytes(node.usedBytes) },
    { label: 'Resident', value: formatBytes(node.rssBytes), hint: 'What the process holds of its host' },
    { label: 'maxmemory', value: node.maxBytes === 0 ? 'none' : formatBytes(node.maxBytes) },
    { label: 'Host', value: node.hostBytes === null ? UNKNOWN : formatBytes(node.hostBytes) },
    { label: 'Fragmentation', value: node.fragmentationRatio.toFixed(2), hint: 'Resident / used' },
    { label: 'Evicted keys', value: formatCount(node.evictedKeys), ...(evicts ? { state: 'critical' } : {}) },
    { label: 'Output buffers', value: formatBytes(node.clientOutputBytes) },
    { label: 'Clients', value: clients },
    { label: 'Ops', value: `${formatCount(node.opsPerSecond)}/s` },
    { label: 'CPU of a core', value: formatRatio(node.cpuRatio) },
    { label: 'Spillway overhead', value: formatRatio(node.ownCpuRatio) },
    { label: 'Uptime', value: coarseAge(node.uptimeSeconds) },
    { label: 'Role', value: node.isReadOnly ? 'replica, read-only' : node.role },
    { label: 'Replicas', value: formatCount(node.replicas) },
    { label: 'Replica lag', value: lag === null ? UNKNOWN : formatBytes(lag) },
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

const Permissions: FC<{ readonly capabilities: Capabilities | null }> = ({ capabilities }) => (
  <section class="panel" aria-labelledby="permissions-title">
    <h2 id="permissions-title">Permissions</h2>
    {capabilities ? (
      <ul class="permissions">
        {PERMISSIONS.map(([name, what]) => (
          <li>
            <span class={`state-word state-${capabilities[name] ? 'calm' : 'warning'}`}>
              {capabilities[name] ? 'yes' : 'no'}
            </span>{' '}
            {what}
            {capabilities[name] ? null : (
              <span class="muted"> {capabilities.refusals[name] ?? 'refused'}</span>
            )}
          </li>
        ))}
      </ul>
    ) : (
      <p class="muted">Not known yet.</p>
    )}
  </section>
);

/** How the console reads this Redis, and what that costs. */
export const Polling: FC<{ readonly snapshot: Snapshot; readonly nowMs: number }> = ({
  snapshot: { poll, discovery, queues, unread },
  nowMs,
}) => {
  const slowed = poll.isSlowed && poll.slowedBecause ? `; slowed down because ${poll.slowedBecause}` : '';
  const lost = unread.queues.length;
  return (
    <section class="panel" id="reading" aria-labelledby="reading-title">
      <h2 id="reading-title">Polling</h2>
      <ul class="sentences">
        <li>
          Every {formatDuration(poll.intervalMs / 1000)}, whatever the number of viewers{slowed}.
        </li>
        <li>
          Costs {formatRatio(poll.ownCpuRatio)} of one core of Redis; the budget is{' '}
          {formatRatio(poll.budgetRatio)}.
        </li>
        <li>
          {discovery.lastPassAtMs === null
            ? 'The first search for queues is under way.'
            : `${formatCount(queues.length + lost)} queues${lost > 0 ? `, ${formatCount(lost)} of them unread` : ''}; all ${formatCount(discovery.keys)} keys were last searched ${coarseAge((nowMs - discovery.lastPassAtMs) / 1000)} ago.`}
        </li>
        <li>
          {formatCount(poll.ticks)} reads, {formatCount(poll.failedTicks)} failed.
        </li>
      </ul>
    </section>
  );
};

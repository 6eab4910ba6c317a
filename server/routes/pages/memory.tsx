import { type Context, Hono } from 'hono';
import { Band, bandId } from '../../../views/band.js';
import type { Tone } from '../../../views/drawn/bars.js';
import type { HoldingRow, HoldingTableProps } from '../../../views/holding.js';
import { instancePath, queuePath } from '../../../views/links.js';
import { Holders, MemoryPage, type MemoryProps, NodeMemories } from '../../../views/memory-page.js';
import { QueueMemorySection } from '../../../views/queue-memory.js';
import { formatBytes, formatRatio, formatThings } from '../../model/format.js';
import type { NodeMemory } from '../../model/memory.js';
import { CountRefused } from '../../model/memory.js';
import type { Actor, Role } from '../../model/role.js';
import type { QueueState, RedisNode, Snapshot } from '../../model/snapshot.js';
import { plainName } from '../../model/words.js';
import { queueIn, snapshotOf } from '../api/env.js';
import { startCount, stopCount } from '../api/memory.js';
import type { AppDeps } from '../app-deps.js';
import { type GateEnv, requireRole } from '../gate.js';
import type { LiveView } from '../live/hub.js';
import { html, swapPart } from '../live/part.js';
import { chromeOf } from './chrome.js';
import { findingListOf, findingParts } from './finding-parts.js';
import { holdersOf } from './memory-view-model.js';
import { bandOf, frameParts } from './overview.js';
import { latestPast } from './overview-past.js';
import { queueMemoryOf } from './queue-memory-view-model.js';

/** What one process holds, line by line: the lines up to "Used" add up to it. */
function nodeTableOf(node: RedisNode, isOneOfMany: boolean, index: number): HoldingTableProps {
  const { memory } = node;
  return {
    id: `memory-node-${index}`,
    title: isOneOfMany ? `Node ${node.address}` : 'Server',
    heading: 'What',
    shareOf: 'Of used memory',
    ofBytes: memory?.usedBytes ?? 0,
    rows: memory ? rowsOf(node, memory) : [],
    empty: `It uses ${formatBytes(node.usedBytes)}; what for is not read yet, or not permitted (MEMORY STATS).`,
  };
}

function rowsOf(node: RedisNode, memory: NodeMemory): readonly HoldingRow[] {
  const { usedBytes } = memory;
  const line = (name: string, bytes: number, tone: Tone | null, note = ''): HoldingRow => ({
    name,
    held: { bytes, errorBytes: 0 },
    tone,
    note,
  });
  const limit = node.limit
    ? `${formatRatio(node.usedRatio ?? 0)} of ${formatBytes(node.limit.bytes)}`
    : 'no limit';
  return [
    { name: 'Queues', held: memory.queues, note: toSample(memory) },
    ...foreignRows(memory),
    line('Buffers of clients', memory.clientBytes, 'beside', `${formatBytes(node.clientOutputBytes)} unread`),
    line('Buffers of replicas', memory.replicaBufferBytes, 'beside'),
    line('Replication backlog', memory.replicationBacklogBytes, 'beside'),
    line('AOF buffers', memory.aofBytes, 'beside'),
    line('Lua and functions', memory.scriptBytes, 'own'),
    line('Tables over the keys', memory.keyspaceBytes, 'own'),
    line('An empty Redis', memory.startupBytes, 'own'),
    unattributedRow(memory),
    line('Used', usedBytes, null, limit),
    line('Fragmentation', memory.fragmentationBytes, null, 'beside used, outside the limit'),
  ];
}

function toSample({ queuesToSample }: NodeMemory): string {
  return queuesToSample > 0 ? `${formatThings(queuesToSample, 'queue')} not sampled yet` : '';
}

function foreignRows({ foreign }: NodeMemory): readonly HoldingRow[] {
  const name = 'Keys of no queue';
  if (!foreign) return [{ name, held: null, tone: 'beside', note: 'not known yet' }];
  return [
    { name, held: foreign, tone: 'beside', note: formatThings(foreign.keys, 'key') },
    ...foreign.largest.map(({ key, bytes }) => ({
      name: plainName(key),
      held: { bytes, errorBytes: 0 },
      isPart: true,
    })),
  ];
}

/** What is left is as unsure as all that it is the rest of. */
function unattributedRow({ unattributedBytes, queues, foreign }: NodeMemory): HoldingRow {
  const held = {
    bytes: unattributedBytes,
    errorBytes: Math.round(Math.hypot(queues.errorBytes, foreign?.errorBytes ?? 0)),
  };
  const note = unattributedBytes < 0 ? 'the samples overrate' : 'small keys, allocator';
  return { name: 'Not attributed', held, tone: 'unknown', note };
}

export function memoryPage(deps: AppDeps, actor: Actor, instance: string) {
  const snapshot = snapshotOf(deps, instance);
  const nowMs = deps.now();
  const liveUrl = `/live?${new URLSearchParams({ view: 'memory', instance })}`;
  const frame = {
    actor,
    nowMs,
    current: '',
    crumbs: [{ label: `Redis ${plainName(instance)}`, href: instancePath(instance) }],
    subject: `memory of ${instance}`,
    liveUrl,
  };
  return <MemoryPage chrome={chromeOf(deps, frame)} view={memoryOf(deps, snapshot, actor.role, nowMs)} />;
}

function memoryOf(deps: AppDeps, snapshot: Snapshot, role: Role, nowMs: number): MemoryProps {
  const { instance, nodes } = snapshot;
  return {
    name: instance,
    band: bandOf(deps, snapshot, latestPast(deps), nowMs),
    findings: findingListOf(
      deps,
      role,
      nowMs,
      (finding) => finding.instance === instance && /^(memory|redis)\./.test(finding.code),
    ),
    holders: holdersOf(snapshot, 'full'),
    nodes: nodes.map((node, i) => nodeTableOf(node, nodes.length > 1, i)),
  };
}

/** What changes on the page of an instance's memory. null where there is no such Redis. */
export function memoryLive(deps: AppDeps, role: Role, instance: string): LiveView | null {
  if (!deps.watch.snapshot(instance)) return null;
  return {
    key: JSON.stringify(['memory', role, instance]),
    render: () => {
      const snapshot = deps.watch.snapshot(instance);
      if (!snapshot) return [];
      const nowMs = deps.now();
      const view = memoryOf(deps, snapshot, role, nowMs);
      return [
        ...frameParts(deps, nowMs, `memory of ${instance}`),
        swapPart(bandId(instance), html(<Band {...view.band} />)),
        ...findingParts(view.findings.findings),
        swapPart('memory-holders', html(<Holders {...view.holders} />)),
        swapPart('memory-nodes', html(<NodeMemories nodes={view.nodes} />)),
      ];
    },
  };
}

/** Starting and stopping an exact count from a queue's page. A viewer that has no script gets the page again. */
export function countRoutes(deps: AppDeps): Hono<GateEnv> {
  const routes = new Hono<GateEnv>();
  const path = '/i/:instance/q/:queue/memory/count';
  routes.use(path, requireRole('operator'));
  routes.use(`${path}/stop`, requireRole('operator'));
  routes.post(path, (c) =>
    change(deps, c, c.req.param(), (instance, { id }) =>
      startCount(deps, { actor: c.get('actor') }, instance, id),
    ),
  );
  routes.post(`${path}/stop`, (c) =>
    change(deps, c, c.req.param(), (instance, queue) =>
      queue.count ? stopCount(deps, { actor: c.get('actor') }, instance, queue) : null,
    ),
  );
  return routes;
}

async function change(
  deps: AppDeps,
  c: Context<GateEnv>,
  where: { readonly instance: string; readonly queue: string },
  apply: (instance: string, queue: QueueState) => unknown,
): Promise<Response> {
  const queue = queueIn(snapshotOf(deps, where.instance), where.queue);
  const { id } = queue;
  let notice: string | null = null;
  try {
    await apply(where.instance, queue);
  } catch (error) {
    if (!(error instanceof CountRefused)) throw error;
    notice = error.message;
  }
  if (!c.req.header('hx-request')) return c.redirect(queuePath(where.instance, id), 303);
  const snapshot = snapshotOf(deps, where.instance);
  const view = queueMemoryOf(queueIn(snapshot, id), snapshot, c.get('actor').role, deps.now(), notice);
  return c.html(<QueueMemorySection {...view} />);
}

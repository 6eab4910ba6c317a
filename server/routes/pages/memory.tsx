import { type Context, Hono } from 'hono';
import { Band } from '../../../views/band.js';
import { Holders, MemoryPage, type MemoryProps, NodeMemories } from '../../../views/memory-page.js';
import { QueueMemorySection } from '../../../views/queue-memory.js';
import { CountRefused } from '../../model/count-refused.js';
import type { Actor, Role } from '../../model/role.js';
import type { Snapshot } from '../../model/snapshot.js';
import { queueIn, snapshotOf } from '../api/env.js';
import type { AppDeps } from '../app-deps.js';
import { type GateEnv, requireRole } from '../gate.js';
import type { LiveView } from '../live/hub.js';
import { swapPart } from '../live/part.js';
import { bandOf } from './band-view-model.js';
import { chromeOf } from './chrome.js';
import { findingParts } from './finding-parts.js';
import { instancePath, queuePath } from './links.js';
import { holdersOf } from './memory-view-model.js';
import { nodeTableOf } from './node-memory-view-model.js';
import { frameParts, html } from './overview.js';
import { findingListOf } from './overview-view-model.js';
import { queueMemoryOf } from './queue-memory-view-model.js';

export function memoryPage(deps: AppDeps, actor: Actor, instance: string) {
  const snapshot = snapshotOf(deps, instance);
  const nowMs = deps.now();
  const liveUrl = `/live?${new URLSearchParams({ view: 'memory', instance })}`;
  const frame = { actor, nowMs, current: instancePath(instance), subject: `memory of ${instance}`, liveUrl };
  return <MemoryPage chrome={chromeOf(deps, frame)} view={memoryOf(deps, snapshot, actor.role, nowMs)} />;
}

function memoryOf(deps: AppDeps, snapshot: Snapshot, role: Role, nowMs: number): MemoryProps {
  const { instance, nodes } = snapshot;
  return {
    name: instance,
    band: bandOf(snapshot, deps.watch.findings(), nowMs, deps.thresholds),
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
        swapPart(view.band.id, html(<Band {...view.band} />)),
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
    change(deps, c, c.req.param(), (instance, queueId) => deps.watch.startCount(instance, queueId)),
  );
  routes.post(`${path}/stop`, (c) =>
    change(deps, c, c.req.param(), (instance, queueId) => deps.watch.stopCount(instance, queueId)),
  );
  return routes;
}

function change(
  deps: AppDeps,
  c: Context<GateEnv>,
  where: { readonly instance: string; readonly queue: string },
  apply: (instance: string, queueId: string) => unknown,
): Response | Promise<Response> {
  const { id } = queueIn(snapshotOf(deps, where.instance), where.queue);
  let notice: string | null = null;
  try {
    apply(where.instance, id);
  } catch (error) {
    if (!(error instanceof CountRefused)) throw error;
    notice = error.message;
  }
  if (!c.req.header('hx-request')) return c.redirect(queuePath(where.instance, id), 303);
  const snapshot = snapshotOf(deps, where.instance);
  const view = queueMemoryOf(queueIn(snapshot, id), snapshot, c.get('actor').role, deps.now(), notice);
  return c.html(<QueueMemorySection {...view} />);
}

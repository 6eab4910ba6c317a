import { instancePath, queuePath } from '../../../views/links.js';
import { WorkerNow, WorkerPage } from '../../../views/worker-page.js';
import { bareName } from '../../../views/worker-row.js';
import { type Actor, includesRole, type Role } from '../../model/role.js';
import type { Snapshot } from '../../model/snapshot.js';
import { plainName } from '../../model/words.js';
import type { WorkerState } from '../../model/worker.js';
import { snapshotOf } from '../api/env.js';
import type { AppDeps } from '../app-deps.js';
import type { LiveView } from '../live/hub.js';
import { html, swapPart } from '../live/hub.js';
import { Problem } from '../problem.js';
import { chromeOf } from './chrome.js';
import { timelineOf } from './fleet.js';
import { frameParts } from './overview.js';

const EVENTS = 5;
/** Events of workers that are looked through for those of this one. */
const LOOKED_THROUGH = 500;

/** @param idOrLabel its id, or what it is called; where several are called that, the first. */
function workerIn({ workers }: Snapshot, idOrLabel: string): WorkerState | null {
  return (
    workers.find(({ id }) => id === idOrLabel) ?? workers.find(({ label }) => label === idOrLabel) ?? null
  );
}

export async function workerPage(deps: AppDeps, actor: Actor, instance: string, idOrLabel: string) {
  const snapshot = snapshotOf(deps, instance);
  const worker = workerIn(snapshot, idOrLabel);
  if (!worker)
    throw new Problem(
      404,
      'not-found',
      `no worker ${idOrLabel.slice(0, 200)} is known: it left, or was dismissed`,
    );
  const nowMs = deps.now();
  const canAct = includesRole(actor.role, 'operator');
  const events = await deps.timeline.list({
    instance: snapshot.instance,
    kindPrefixes: ['worker.', 'agent.'],
    limit: LOOKED_THROUGH,
  });
  const chrome = chromeOf(deps, {
    actor,
    nowMs,
    current: '/workers',
    crumbs: [
      { label: 'Workers', href: '/workers' },
      { label: `Redis ${plainName(snapshot.instance)}`, href: instancePath(snapshot.instance) },
      { label: bareName(worker.queueId), href: queuePath(snapshot.instance, worker.queueId) },
    ],
    subject: worker.label,
    liveUrl: `/live?${new URLSearchParams({ view: 'worker', instance: snapshot.instance, worker: worker.id })}`,
  });
  const own = events.filter((entry) => entry.worker === worker.label).slice(0, EVENTS);
  return (
    <WorkerPage
      chrome={chrome}
      worker={worker}
      snapshot={snapshot}
      course={deps.watch.workerSeries(instance, worker.id)}
      canAct={canAct}
      timeline={timelineOf(own, nowMs, false, canAct)}
    />
  );
}

/** What changes on a worker's page; null where there is no such Redis. */
export function workerLive(deps: AppDeps, role: Role, instance: string, id: string): LiveView | null {
  if (!deps.watch.snapshot(instance)) return null;
  return {
    key: JSON.stringify(['worker', role, instance, id]),
    render: () => {
      const snapshot = deps.watch.snapshot(instance);
      const nowMs = deps.now();
      if (!snapshot) return frameParts(deps, nowMs, id);
      const worker = workerIn(snapshot, id);
      const canAct = includesRole(role, 'operator');
      const course = worker && deps.watch.workerSeries(instance, worker.id);
      return [
        ...frameParts(deps, nowMs, worker?.label ?? id),
        swapPart('worker-now', html(<WorkerNow {...{ worker, snapshot, course, canAct }} />)),
      ];
    },
  };
}

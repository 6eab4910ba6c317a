import { Band, bandId } from '../../../views/band.js';
import { InstancePage, NodePanel, ReadingPanel } from '../../../views/instance-page.js';
import { instancePath } from '../../../views/links.js';
import { Holders } from '../../../views/memory-page.js';
import type { Actor, Role } from '../../model/role.js';
import type { AppDeps } from '../app-deps.js';
import type { LiveView } from '../live/hub.js';
import { eventPart, html, swapPart } from '../live/part.js';
import { Problem } from '../problem.js';
import { chartTexts } from './charts.js';
import { chromeOf } from './chrome.js';
import { findingParts } from './finding-parts.js';
import { instanceOf } from './instance-view-model.js';
import { frameParts } from './overview.js';

export function instancePage(deps: AppDeps, actor: Actor, instance: string) {
  const snapshot = deps.watch.snapshot(instance);
  if (!snapshot) throw new Problem(404, 'not-found', `there is no Redis named ${instance}`);
  const nowMs = deps.now();
  const liveUrl = `/live?${new URLSearchParams({ view: 'instance', instance })}`;
  const frame = {
    actor,
    nowMs,
    current: instancePath(instance),
    subject: instance,
    liveUrl,
    hasCharts: true,
  };
  return <InstancePage chrome={chromeOf(deps, frame)} view={instanceOf(deps, snapshot, actor.role, nowMs)} />;
}

/** What changes on the page of one Redis. null where there is no such Redis. */
export function instanceLive(deps: AppDeps, role: Role, instance: string): LiveView | null {
  if (!deps.watch.snapshot(instance)) return null;
  return {
    key: JSON.stringify(['instance', role, instance]),
    render: () => {
      const snapshot = deps.watch.snapshot(instance);
      if (!snapshot) return [];
      const nowMs = deps.now();
      const view = instanceOf(deps, snapshot, role, nowMs);
      return [
        ...frameParts(deps, nowMs, instance),
        swapPart(bandId(instance), html(<Band {...view.band} />)),
        ...findingParts(view.findings.findings),
        swapPart('memory-holders', html(<Holders {...view.holders} />)),
        ...view.nodes.map((node) => swapPart(node.id, html(<NodePanel {...node} />))),
        swapPart('reading', html(<ReadingPanel reading={view.reading} />)),
        eventPart('charts', 'charts', chartTexts(view.charts)),
      ];
    },
  };
}

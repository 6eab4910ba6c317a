import { AlertCount, FiringLine } from '../../../views/alert-count.js';
import { Band, type BandProps, bandId } from '../../../views/band.js';
import { BlindBanner, type BlindProps } from '../../../views/blind-banner.js';
import { InForce, type InForceProps } from '../../../views/in-force.js';
import { type QueueQuery, queueQueryString } from '../../../views/links.js';
import { OverviewPage } from '../../../views/overview-page.js';
import { RecoveryStrip } from '../../../views/recovery-strip.js';
import { VerdictLine } from '../../../views/verdict.js';
import { WatchedPanel } from '../../../views/watched.js';
import { formatThings } from '../../model/format.js';
import type { Actor, Role } from '../../model/role.js';
import type { Snapshot } from '../../model/snapshot.js';
import type { AppDeps } from '../app-deps.js';
import type { LiveView } from '../live/hub.js';
import { eventPart, html, type Part, swapPart } from '../live/hub.js';
import { blindOf, chromeOf, titleOf, worstOf } from './chrome.js';
import { findingListOf, findingParts } from './finding-parts.js';
import { inForceOf } from './in-force.js';
import { freshPast, latestPast, type OverviewPast } from './overview-past.js';
import { queueTableOf, queueTableParts } from './queue-table.js';
import { receiptFor } from './replay-orders.js';
import { verdictLineOf } from './verdict.js';

export async function overviewPage(deps: AppDeps, actor: Actor, query: QueueQuery, receipt?: string) {
  const past = await freshPast(deps);
  const nowMs = deps.now();
  const inForce = inForceNow(deps, past, actor.role, nowMs);
  const liveUrl = `/live?${new URLSearchParams([['view', 'overview'], ...new URLSearchParams(queueQueryString(query))])}`;
  return (
    <OverviewPage
      chrome={chromeOf(deps, { actor, nowMs, current: '/', subject: '', liveUrl })}
      view={{
        verdict: verdictLineOf(deps, nowMs, actor.role, past, inForce.items.length),
        inForce,
        watched: { snapshots: deps.watch.snapshots() },
        bands: deps.watch.snapshots().map((snapshot) => bandOf(deps, snapshot, past, nowMs)),
        firing: firingText(deps),
        hasChannel: deps.messaging.channels.length > 0,
        receipt: receiptFor(actor, receipt),
        recovery: {
          replays: deps.replays.list(),
          replayQueues: deps.replayQueues.list(),
          held: [],
          role: actor.role,
          back: '/',
        },
        replayGroups: Object.keys(deps.groups),
        findings: { ...findingListOf(deps, actor.role, nowMs), calm: null },
        queues: queueTableOf(deps, {
          ...{ query, place: '/', role: actor.role, nowMs },
          held: past?.parkings ?? [],
        }),
      }}
    />
  );
}

/** What changes on the overview. */
export function overviewLive(deps: AppDeps, role: Role, query: QueueQuery): LiveView {
  return {
    key: `overview|${role}|${queueQueryString(query)}`,
    render: () => {
      const nowMs = deps.now();
      const past = latestPast(deps);
      const table = queueTableOf(deps, { query, place: '/', role, held: past?.parkings ?? [], nowMs });
      const inForce = inForceNow(deps, past, role, nowMs);
      const recovery = {
        ...{ replays: deps.replays.list(), replayQueues: deps.replayQueues.list(), held: [] },
        ...{ role, back: '/' },
      };
      return [
        ...frameParts(deps, nowMs, ''),
        swapPart(
          'verdict',
          html(<VerdictLine {...verdictLineOf(deps, nowMs, role, past, inForce.items.length)} />),
        ),
        swapPart('in-force', html(<InForce {...inForce} />)),
        swapPart('watched', html(<WatchedPanel snapshots={deps.watch.snapshots()} />)),
        swapPart(
          'firing-line',
          html(<FiringLine text={firingText(deps)} hasChannel={deps.messaging.channels.length > 0} />),
        ),
        swapPart('recovery', html(<RecoveryStrip {...recovery} />)),
        ...deps.watch.snapshots().map((snapshot) => {
          const band = bandOf(deps, snapshot, past, nowMs);
          return swapPart(bandId(snapshot.instance), html(<Band {...band} />));
        }),
        ...findingParts(findingListOf(deps, role, nowMs)),
        ...queueTableParts(table),
      ];
    },
  };
}

/** What holds still of what was set or set going from here. */
function inForceNow(
  { watch, replays }: AppDeps,
  past: OverviewPast | null,
  role: Role,
  nowMs: number,
): InForceProps {
  const items = inForceOf(
    {
      snapshots: watch.snapshots(),
      records: past?.lasting ?? [],
      parkings: past?.parkings ?? [],
      replays: replays.list(),
    },
    role,
  );
  return { items, nowMs };
}

/** One Redis as its card shows it, on whichever page. */
export function bandOf(
  { watch }: Pick<AppDeps, 'watch'>,
  snapshot: Snapshot,
  past: OverviewPast | null,
  nowMs: number,
): BandProps {
  const { instance } = snapshot;
  const problem = watch
    .findings()
    .find((finding) => finding.instance === instance && finding.code.startsWith('redis.'));
  return {
    snapshot,
    problem: problem ?? null,
    nowMs,
    past: past?.redises.get(instance) ?? null,
  };
}

function firingText({ alerts }: AppDeps): string {
  const count = alerts.firingCount();
  return count === 0 ? '' : `${formatThings(count, 'alert')} firing`;
}

/** What changes on every page: the pulse, the title, and whether the console can see. */
export function frameParts(deps: AppDeps, nowMs: number, subject: string): readonly Part[] {
  const worst = worstOf(deps, nowMs);
  const blind = blindOf(deps.watch, nowMs);
  return [
    // Never the same twice: it is what tells the page that it is still in touch.
    eventPart('beat', 'beat', {
      nowMs,
      title: titleOf(worst, subject),
      state: worst.state,
      sight: sightInWords(blind),
    }),
    swapPart('alert-count', html(<AlertCount count={deps.alerts.firingCount()} />)),
    swapPart('blind', html(<BlindBanner {...blind} />)),
  ];
}

/** What the page's own pulse may say: a page that is in touch with a console that is blind is not live. */
function sightInWords(blind: BlindProps): 'live' | 'partly live' | 'not live' {
  if (blind.isAll) return 'not live';
  return blind.redises.length > 0 ? 'partly live' : 'live';
}

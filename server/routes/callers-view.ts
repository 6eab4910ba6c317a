import type { ActivityEntry } from '../model/activity-entry.js';
import type { AlertView } from '../model/alert.js';
import type { AuditRecord } from '../model/audit-record.js';
import { hasRoleOn, roleOn } from '../model/grants.js';
import type { Role } from '../model/role.js';
import { globMatcher } from '../model/text.js';
import { ALL_INSTANCES } from '../model/timeline-entry.js';
import type { Parkings } from '../replay/parking/parkings.js';
import type { ReplayQueues } from '../replay/replay-queues.js';
import { queuesOf, type ReplayRequest } from '../replay/replay-request.js';
import type { Replays } from '../replay/replays.js';
import type { AppDeps } from './app-deps.js';
import { type BoundActor, hiddenNames, only, seenSnapshots, watchSeenBy, wholeOf } from './callers-watch.js';
import { Problem } from './problem.js';

const PAGE_ROWS = 500;
/** Of what others see so much is read past for one page of somebody's own. */
const MAX_PAGES = 20;
/**
 * What routes are given, as one sees it whose role is bound: the one place where it is made. Each page, live part and API
 * route of theirs is built over this in place of AppDeps (by-grants.ts), and so knows nothing of what else there is. What is
 * not listed here is refused: a new part of AppDeps is closed to them until somebody decides what they see of it.
 */
export function callersView(deps: AppDeps, who: BoundActor): AppDeps {
  const sees = (instance: string, queue: string | null): boolean => roleOn(who, instance, queue) !== null;
  const seesAll = (instance: string, queues: readonly string[]): boolean =>
    queues.length > 0 && queues.every((queue) => sees(instance, queue));
  const snapshotOf = seenSnapshots(deps, who);
  const watch = watchSeenBy(deps, who, snapshotOf);

  /** @throws Problem 404 for what is not seen, 403 where the role there is less. */
  const need = (role: Role, instance: string, queue: string | null): void => {
    if (hasRoleOn(who, role, instance, queue)) return;
    if (queue !== null && sees(instance, queue))
      throw new Problem(403, 'forbidden', `this needs the role ${role} on ${queue}`);
    const isKnown = instance === ALL_INSTANCES || watch.snapshot(instance) !== null;
    if (queue === null && isKnown)
      throw new Problem(403, 'forbidden', `this needs the role ${role} on ${wholeOf(instance)}`);
    throw new Problem(
      404,
      'not-found',
      `there is no ${queue === null ? `Redis named ${instance}` : `queue ${queue} in ${instance}`}`,
    );
  };
  const needQueues = (role: Role, instance: string, queues: readonly string[]): void => {
    for (const queue of queues) need(role, instance, queue);
  };

  /** Names of queues that they don't see, as words of a sentence: what was found may speak of others too. */
  const hidden = hiddenNames(deps, sees);
  const isOwn = (row: Row): boolean =>
    sees(row.instance, row.queue) &&
    (sees(row.instance, null) || !/^(finding|alert)/.test(row.kind ?? '') || !hidden(row.text ?? ''));
  const isOwnAlert = ({ alert }: AlertView): boolean =>
    sees(alert.subject.instance, alert.subject.queue) &&
    (sees(alert.subject.instance, null) || !hidden(`${alert.headline} ${alert.cause} ${alert.effect}`));
  const ownAlert = (view: AlertView): AlertView =>
    view.finding && watch.findings().some(({ key }) => key === view.finding?.key)
      ? view
      : { ...view, finding: null, path: '/alerts' };

  const replayOf = (role: Role | null, id: string) => {
    const view = deps.replays.get(id);
    if (!view || !seesAll(view.record.instance, view.record.queues)) return null;
    if (role !== null) needQueues(role, view.record.instance, view.record.queues);
    return view;
  };
  const ordered = (id: string): void => {
    if (!replayOf('operator', id))
      throw new Problem(404, 'not-found', `there is no replay ${id.slice(0, 100)}`);
  };
  const asked = (request: ReplayRequest): ReplayRequest => {
    const snapshot = snapshotOf(request.instance);
    if (!snapshot) throw new Problem(404, 'not-found', `there is no Redis named ${request.instance}`);
    const queues = queuesOf(snapshot, request);
    needQueues('operator', request.instance, queues);
    return { ...request, queues, match: undefined };
  };
  const parkingOf = async (role: Role, id: string) => {
    const parking = await deps.parkings.get(id);
    if (!sees(parking.instance, parking.queue))
      throw new Problem(404, 'not-found', `there is no parking ${id.slice(0, 100)}`);
    need(role, parking.instance, parking.queue);
    return parking;
  };
  const incidentOf = async (id: string) => {
    const incident = await deps.incidents.get(id);
    return incident && isOwnIncident(incident) ? incident : null;
  };
  const isOwnIncident = ({ instances }: { readonly instances: readonly string[] }): boolean =>
    (instances.length === 0 ? [ALL_INSTANCES] : instances).every((name) => sees(name, null));
  const markerOf = async (role: Role, id: string): Promise<void> => {
    const marker = await deps.activity.marker(id);
    if (marker) need(role, marker.instance, marker.queue);
  };

  return {
    // Of no queue and no instance.
    ...{ now: deps.now, newId: deps.newId, version: deps.version, linkBase: deps.linkBase },
    ...{
      thresholds: deps.thresholds,
      jobDataRole: deps.jobDataRole,
      storeProblem: deps.storeProblem,
      isReadOnly: deps.isReadOnly,
    },
    ...{ health: deps.health, access: deps.access, idempotency: deps.idempotency },
    ...{ accounts: deps.accounts, openid: deps.openid, proxied: deps.proxied },
    // Who else is signed in, and the like, is of the whole console.
    sessions: only<AppDeps['sessions']>({}),
    // What several look at is rendered once: by the key that all of them share.
    live: only<AppDeps['live']>({
      open: (view, viewer) => deps.live.open({ ...view, key: `${JSON.stringify(who)} ${view.key}` }, viewer),
    }),
    watch,
    // runAction looks at the grants by itself, as a step of a sequence and an order of another console come there too.
    runAction: deps.runAction,
    groups: Object.fromEntries(
      Object.entries(deps.groups).filter(([, globs]) => globs.every((glob) => seesGlob(who, glob))),
    ),
    messaging: only<AppDeps['messaging']>({
      channels: [],
      lease: deps.messaging.lease,
      storeState: deps.messaging.storeState,
      problems: () => [],
      deadMan: null,
    }),
    probeQueue: (instance, queue, ask) => {
      need('operator', instance, queue);
      return deps.probeQueue(instance, queue, ask);
    },
    async listJobs(instance, queue, query) {
      need('viewer', instance, queue);
      return deps.listJobs(instance, queue, query);
    },
    async readJob(instance, queue, id) {
      need('viewer', instance, queue);
      return deps.readJob(instance, queue, id);
    },
    async findJob(id) {
      const { places } = await deps.findJob(id);
      return { places: places.filter(({ instance, queue }) => sees(instance, queue)), unasked: 0 };
    },
    audit: only<AppDeps['audit']>({
      // What writes it has asked for the role.
      append: (record) => deps.audit.append(record),
      list: ({ cursor, limit, ...query }) =>
        filled<AuditRecord>(
          limit,
          (last) => {
            const from = last?.id ?? cursor;
            return deps.audit.list({
              ...query,
              limit: PAGE_ROWS,
              ...(from === undefined ? {} : { cursor: from }),
            });
          },
          isOwn,
        ),
    }),
    timeline: only<AppDeps['timeline']>({
      async append(entry) {
        need('operator', entry.instance, entry.queue);
        await deps.timeline.append(entry);
      },
      list: async ({ limit, ...query }) =>
        (await deps.timeline.list({ ...query, limit: Math.max(limit, PAGE_ROWS) }))
          .filter(isOwn)
          .slice(0, limit),
    }),
    activity: only<AppDeps['activity']>({
      version: deps.activity.version,
      list: ({ after, limit, ...query }) =>
        filled<ActivityEntry>(
          limit,
          (last) => {
            const from = last ? { atMs: last.atMs, id: last.id } : after;
            return deps.activity.list({
              ...query,
              limit: PAGE_ROWS,
              ...(from === undefined ? {} : { after: from }),
            });
          },
          isOwn,
        ),
      async get(id) {
        const entry = await deps.activity.get(id);
        return entry && isOwn(entry) ? entry : null;
      },
      async marker(id) {
        const marker = await deps.activity.marker(id);
        return marker && sees(marker.instance, marker.queue) ? marker : null;
      },
      async editMarker(id, text) {
        await markerOf('operator', id);
        await deps.activity.editMarker(id, text);
      },
      async removeMarker(id) {
        await markerOf('operator', id);
        await deps.activity.removeMarker(id);
      },
    }),
    markers: deps.markers,
    episodes: only<AppDeps['episodes']>({
      between: async (range) =>
        (await deps.episodes.between(range)).filter(
          ({ instance, queue, queues, headline, cause, effect }) =>
            sees(instance, null) ||
            ((queue === null ? seesAll(instance, queues) : sees(instance, queue)) &&
              !hidden(`${headline} ${cause} ${effect}`)),
        ),
    }),
    incidents: only<AppDeps['incidents']>({
      list: async () => (await deps.incidents.list()).filter(isOwnIncident),
      get: incidentOf,
      async save(incident) {
        for (const name of incident.instances.length === 0 ? [ALL_INSTANCES] : incident.instances)
          need('operator', name, null);
        await deps.incidents.save(incident);
      },
      async remove(id) {
        return (await incidentOf(id)) !== null && deps.incidents.remove(id);
      },
    }),
    predictions: {
      async score(of = {}) {
        const { instance = ALL_INSTANCES, queue = null } = of;
        if (queue === null ? watch.snapshot(instance) === null : !sees(instance, queue))
          throw new Problem(404, 'not-found', `there is no Redis named ${instance}`);
        return deps.predictions.score(of);
      },
    },
    history: only<AppDeps['history']>({
      problem: () => deps.history.problem(),
      async read(query) {
        const { signal, instance, queue } = query.series;
        if (queue !== null) need('viewer', instance, queue);
        const points = await deps.history.read(query);
        if (queue !== null || sees(instance, null)) return points;
        if (isOfRedis(signal) && watch.snapshot(instance) !== null) return points;
        // A sum over queues of others too: not known to them.
        const unknown = points.atMs.map(() => null);
        return { ...points, mean: unknown, min: unknown, max: unknown };
      },
      async series(query) {
        const found = await deps.history.series({ ...query, limit: Number.POSITIVE_INFINITY });
        const isSeen = ({ signal, instance, queue }: (typeof found)[number]): boolean =>
          queue === null && isOfRedis(signal) ? watch.snapshot(instance) !== null : sees(instance, queue);
        return found.filter(isSeen).slice(0, query.limit);
      },
    }),
    replays: only<Replays>({
      list: () => deps.replays.list().filter(({ record }) => seesAll(record.instance, record.queues)),
      get: (id) => replayOf(null, id),
      dryRun: async (request) => deps.replays.dryRun(asked(request)),
      begin: async (actor, request) => deps.replays.begin(actor, asked(request)),
      async change(actor, id, order, isDryRun) {
        ordered(id);
        return deps.replays.change(actor, id, order, isDryRun);
      },
      async changeAll(actor, selection, order, isDryRun) {
        const outcomes = await deps.replays.changeAll(actor, selection, order, true);
        const own = outcomes.flatMap(({ replay }) =>
          replay !== null && replayOf(null, replay) ? [replay] : [],
        );
        for (const id of own) ordered(id);
        return Promise.all(own.map((id) => deps.replays.change(actor, id, order, isDryRun)));
      },
      async remove(actor, id, reason, isDryRun) {
        ordered(id);
        return deps.replays.remove(actor, id, reason, isDryRun);
      },
    }),
    replayQueues: only<ReplayQueues>({
      list: () => deps.replayQueues.list().filter(({ instance, queue }) => sees(instance, queue)),
      // What they don't see is not found by runAction, and is not in the answer either.
      changeAll: async (actor, selection, order, isDryRun) =>
        (await deps.replayQueues.changeAll(actor, selection, order, isDryRun)).filter(
          ({ instance, queues }) => seesAll(instance, queues),
        ),
    }),
    parkings: only<Parkings>({
      problem: deps.parkings.problem,
      disk: () => deps.parkings.disk(),
      async list(filter) {
        const all = await deps.parkings.list({ ...filter, limit: Number.MAX_SAFE_INTEGER });
        return all.filter(({ instance, queue }) => sees(instance, queue)).slice(0, filter.limit);
      },
      get: (id) => parkingOf('viewer', id),
      async types(id) {
        await parkingOf('viewer', id);
        return deps.parkings.types(id);
      },
      async exportLines(id) {
        await parkingOf(deps.jobDataRole, id);
        return deps.parkings.exportLines(id);
      },
      async importLines(chunks, actor, isDryRun) {
        need('admin', ALL_INSTANCES, null);
        return deps.parkings.importLines(chunks, actor, isDryRun);
      },
      async estimate(request) {
        need('operator', request.instance, request.queue);
        return deps.parkings.estimate(request);
      },
      async begin(request, id) {
        need('operator', request.instance, request.queue);
        return deps.parkings.begin(request, id);
      },
      async restore(id, terms, isDryRun) {
        await parkingOf('operator', id);
        return deps.parkings.restore(id, terms, isDryRun);
      },
      async change(id, patch, isDryRun) {
        await parkingOf('operator', id);
        return deps.parkings.change(id, patch, isDryRun);
      },
    }),
    alerting: only<AppDeps['alerting']>({
      // Rules and silences name queues by globs, whoever made them.
      rules: () => (sees(ALL_INSTANCES, null) ? deps.alerting.rules() : []),
      silences: () =>
        deps.alerting
          .silences()
          .filter(({ matchers: { instance, queue } }) => sees(instance ?? ALL_INSTANCES, queue ?? null)),
      problem: () => deps.alerting.problem(),
    }),
    alerts: only<AppDeps['alerts']>({
      firingCount: () =>
        deps.alerts.firingCount((alert) => sees(alert.subject.instance, alert.subject.queue)),
      open: async () => (await deps.alerts.open()).filter(isOwnAlert).map(ownAlert),
      resolved: async (query) =>
        (await deps.alerts.resolved({ ...query, limit: Math.max(query.limit, PAGE_ROWS) }))
          .filter(isOwnAlert)
          .slice(0, query.limit)
          .map(ownAlert),
      async acknowledge(by, id) {
        const view = (await deps.alerts.open()).find(({ alert }) => alert.id === id);
        if (!view || !isOwnAlert(view)) return null;
        need('operator', view.alert.subject.instance, view.alert.subject.queue);
        return deps.alerts.acknowledge(by, id);
      },
      async silence(by, ask) {
        const { instance, queue } = ask.matchers;
        need('operator', instance ?? ALL_INSTANCES, queue ?? null);
        return deps.alerts.silence(by, ask);
      },
      async endSilence(by, id) {
        const silence = deps.alerting.silences().find((one) => one.id === id);
        if (!silence) return null;
        const { instance, queue } = silence.matchers;
        if (!sees(instance ?? ALL_INSTANCES, queue ?? null)) return null;
        need('operator', instance ?? ALL_INSTANCES, queue ?? null);
        return deps.alerts.endSilence(by, id);
      },
      async saveRule(by, rule, before) {
        need('admin', ALL_INSTANCES, null);
        await deps.alerts.saveRule(by, rule, before);
      },
      async removeRule(by, rule) {
        need('admin', ALL_INSTANCES, null);
        await deps.alerts.removeRule(by, rule);
      },
      async testRule(rule, ...of) {
        need('operator', ALL_INSTANCES, null);
        return deps.alerts.testRule(rule, ...of);
      },
    }),
  };
}

interface Row {
  readonly instance: string;
  readonly queue: string | null;
  readonly kind?: string;
  readonly text?: string;
}

/** Of the Redis, and not a sum over its queues. */
function isOfRedis(signal: string): boolean {
  return signal.startsWith('redis_');
}

/** A glob as it stands, taken as a name: whoever sees that sees what it matches. */
function seesGlob({ grants = [] }: BoundActor, glob: string): boolean {
  return grants.some(({ queues }) => queues === undefined || queues.some((own) => globMatcher(own)(glob)));
}

/** As many rows as are wanted of those that are seen, read page by page. */
async function filled<T>(
  limit: number,
  read: (last: T | undefined) => Promise<readonly T[]>,
  isSeen: (row: T) => boolean,
): Promise<readonly T[]> {
  const rows: T[] = [];
  let last: T | undefined;
  for (let page = 0; page < MAX_PAGES && rows.length < limit; page++) {
    const rowsOfPage = await read(last);
    rows.push(...rowsOfPage.filter(isSeen));
    if (rowsOfPage.length < PAGE_ROWS) break;
    last = rowsOfPage.at(-1);
  }
  return rows.slice(0, limit);
}

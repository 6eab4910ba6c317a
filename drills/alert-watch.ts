import type { DrillActivity } from './activity.js';
import {
  type AlertTable,
  type AlertTruth,
  checkAlerts,
  dueAtMs,
  isMeant,
  nameOf,
  overAtMs,
  type RuleTimes,
  type SeenAlert,
} from './alert-checks.js';
import type { Api, ApiAlert } from './api.js';
import { sleep, WAIT_FACTOR, waitUntil } from './wait-for.js';

const LOOK_EVERY_MS = 1_000;
/** The console looks once a second unless it is configured otherwise. */
const EVALUATION_SECONDS = 1;

/** Follows what alerts, by the API alone. */
export interface AlertWatch {
  /** Waits until all that is to alert from this moment on does, as somebody who sleeps until then. */
  untilNotified(moment: string): Promise<void>;
  /** Waits until what should be over is, and holds all that alerted against what happened. Nothing is followed after. */
  conclude(): Promise<void>;
  /** What was notified of a rule: all that fired with nothing that explains it. */
  notifiedOf(rule: string): readonly SeenAlert[];
  stop(): Promise<void>;
}

/** @param activity takes a line when an alert fires and when it is over; its moments are the truth. */
export function watchAlerts(api: Api, activity: DrillActivity, table: AlertTable): AlertWatch {
  const seen = new Map<string, SeenAlert>();
  let rules: ReadonlyMap<string, RuleTimes> = new Map();
  let isStopped = false;

  const take = (alert: ApiAlert): void => {
    if (alert.firedAt === null) return;
    const before = seen.get(alert.id);
    const now = stepOf(before, alert);
    seen.set(alert.id, now);
    if (before === undefined) activity.note(`alert fires: ${nameOf(alert)}`, sayFiring(alert));
    else if (before.notifiedAtMs === null && now.notifiedAtMs !== null)
      activity.note(`alert is explained by nothing any more: ${nameOf(alert)}`, sayFiring(alert));
    if (alert.state === 'resolved' && before?.alert.state !== 'resolved')
      activity.note(`alert is over: ${nameOf(alert)}`);
  };
  const look = async (): Promise<void> => {
    if (rules.size === 0) rules = new Map((await api.alertRules()).map((rule) => [rule.id, rule]));
    for (const which of ['open', 'resolved'] as const)
      for (const alert of [...(await api.alerts(which))].reverse()) take(alert);
  };
  const following = (async () => {
    while (!isStopped) {
      // A console that is busy answers late; what fired meanwhile is seen the next time.
      await look().catch(() => undefined);
      await sleep(LOOK_EVERY_MS);
    }
  })();
  const truth = (): AlertTruth => ({
    table,
    momentsMs: activity.momentsMs,
    rules,
    evaluationSeconds: EVALUATION_SECONDS,
    waitFactor: WAIT_FACTOR,
  });
  const found = (): readonly SeenAlert[] =>
    [...seen.values()].sort((a, b) => Date.parse(a.alert.since) - Date.parse(b.alert.since));
  /** NaN: what is waited for is not to come. */
  const untilSeen = async (latestAtMs: number, condition: () => boolean): Promise<void> => {
    if (!Number.isNaN(latestAtMs)) await waitUntil(condition, latestAtMs);
  };
  const stop = async (): Promise<void> => {
    isStopped = true;
    await following;
  };
  return {
    async untilNotified(moment) {
      for (const expected of table.expected.filter(({ from }) => from === moment))
        await untilSeen(dueAtMs(expected, truth()), () =>
          found().some((one) => isMeant(one, expected, truth())),
        );
    },
    async conclude() {
      for (const expected of table.expected)
        await untilSeen(overAtMs(expected, truth()), () =>
          found().every((one) => one.alert.state === 'resolved' || !isMeant(one, expected, truth())),
        );
      await stop();
      await look();
      for (const { claim, holds, figures } of checkAlerts(found(), truth()))
        activity.check(claim, holds, figures);
    },
    notifiedOf: (rule) =>
      found().filter(({ alert, notifiedAtMs }) => notifiedAtMs !== null && alert.rule.id === rule),
    stop,
  };
}

function stepOf(before: SeenAlert | undefined, alert: ApiAlert): SeenAlert {
  const sentences = new Set(before?.sentences).add(`${alert.headline} ${alert.cause}`);
  // One that was over before it was looked at was notified if nothing explained it then.
  const isNotified = alert.inhibitedBy === null && (alert.state === 'firing' || before === undefined);
  return { alert, notifiedAtMs: before?.notifiedAtMs ?? (isNotified ? Date.now() : null), sentences };
}

function sayFiring({ headline, severity, inhibitedBy, since, firedAt }: ApiAlert): string {
  const heldSeconds = (Date.parse(firedAt ?? since) - Date.parse(since)) / 1000;
  const why = inhibitedBy === null ? '' : `, explained by "${inhibitedBy}"`;
  return `${severity}${why}, held ${heldSeconds.toFixed(1)} s: ${headline}`;
}

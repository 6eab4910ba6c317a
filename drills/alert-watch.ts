import type { Account } from './account.js';
import type { Api, ApiAlert } from './api.js';
import { pause } from './wait-for.js';

const LOOK_EVERY_MS = 1_000;

/** An alert from its first sign to its end, as the API told it. */
export interface SeenAlert {
  /** As it was told last. */
  readonly alert: ApiAlert;
  /** When it was first seen to fire with nothing that explains it: somebody is told. null: never. */
  readonly toldAtMs: number | null;
  /** Rules whose alerts explained it at some time. */
  readonly explainedBy: ReadonlySet<string>;
}

/** Follows what alerts, by the API alone. */
export interface AlertWatch {
  /** All that fired, the first to begin first. */
  seen(): readonly SeenAlert[];
  /** One look now; what it says is in `seen` when it resolves. */
  look(): Promise<void>;
  stop(): Promise<void>;
}

/** @param account takes a line when an alert fires and when it is over. */
export function watchAlerts(api: Api, account: Account): AlertWatch {
  const seen = new Map<string, SeenAlert>();
  let isStopped = false;

  const take = (alert: ApiAlert): void => {
    if (alert.firedAt === null) return;
    const before = seen.get(alert.id);
    const explainedBy = new Set(before?.explainedBy);
    if (alert.inhibitedBy !== null) explainedBy.add(alert.inhibitedBy);
    const isTold = alert.inhibitedBy === null && (alert.state === 'firing' || before === undefined);
    seen.set(alert.id, {
      alert,
      toldAtMs: before?.toldAtMs ?? (isTold ? Date.now() : null),
      explainedBy,
    });
    if (before === undefined) account.note(`alert fires: ${nameOf(alert)}`, sayFiring(alert));
    else if (before.toldAtMs === null && isTold)
      account.note(`alert is told after all: ${nameOf(alert)}`, sayFiring(alert));
    if (alert.state === 'resolved' && before?.alert.state !== 'resolved')
      account.note(`alert is over: ${nameOf(alert)}`);
  };
  const look = async (): Promise<void> => {
    for (const state of ['resolved', 'open'] as const)
      for (const alert of [...(await api.alerts(state))].reverse()) take(alert);
  };
  const following = (async () => {
    while (!isStopped) {
      // A console that is busy answers late; what fired meanwhile is told the next time.
      await look().catch(() => undefined);
      await pause(LOOK_EVERY_MS);
    }
  })();
  return {
    seen: () => [...seen.values()].sort((a, b) => Date.parse(a.alert.since) - Date.parse(b.alert.since)),
    look,
    async stop() {
      isStopped = true;
      await following;
    },
  };
}

/** Rule and whom it is about. */
export function nameOf({ rule, subject }: Pick<ApiAlert, 'rule' | 'subject'>): string {
  const { queue, type } = subject;
  return [rule.id, ...(queue === null ? [] : [queue]), ...(type === null ? [] : [type])].join(' ');
}

function sayFiring({ summary, severity, inhibitedBy, since, firedAt }: ApiAlert): string {
  const heldSeconds = (Date.parse(firedAt ?? since) - Date.parse(since)) / 1000;
  const why = inhibitedBy === null ? '' : `, explained by "${inhibitedBy}"`;
  return `${severity}${why}, held ${heldSeconds.toFixed(1)} s: ${summary.slice(0, 120)}`;
}

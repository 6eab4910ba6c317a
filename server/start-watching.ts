import type { Logger } from 'pino';
import type { Config } from './config/config.js';
import { createWatch } from './create-watch.js';
import { PredictionKeeper } from './forecast/prediction-keeper.js';
import { type History, openHistory } from './history/history.js';
import type { HistoryLog } from './history/history-log.js';
import type { HealthProblem } from './model/console-health.js';
import type { DataLoss } from './model/snapshot.js';
import type { RecordEvent } from './model/timeline-entry.js';
import type { Store } from './open-store.js';
import type { OwnHealth } from './process/own-health.js';
import type { Lease } from './store/lease.js';
import { EpisodeKeeper } from './timeline/episode-keeper.js';
import { recordAsLeader } from './timeline/timeline-log.js';
import { LOSS_SHOWN_MS } from './watch/data-loss.js';
import { MarkerCache, recallMarkers } from './watch/marker-cache.js';
import type { Watch } from './watch/watch.js';

/** What sees, and what remembers what was seen. */
interface Watching {
  readonly watch: Watch;
  readonly markers: MarkerCache;
  readonly history: HistoryLog;
  readonly keeper: PredictionKeeper;
  stop(): Promise<void>;
}

/** Another console's dismissal is seen after at most this. */
const DISMISSALS_EVERY_MS = 20_000;

/** Begins to look at every Redis. */
export async function startWatching(
  config: Config,
  store: Store,
  common: Common,
  lease: Lease,
): Promise<Watching> {
  const { now, newId, recordEvent, log, health } = common;
  const warn = (message: string): void => log.warn(message);
  const markers = new MarkerCache(
    config.instances.map(({ name }) => name),
    now,
  );
  await recallMarkers(markers, store.timeline, now()).catch((error: unknown) =>
    log.warn({ err: error }, 'the markers of the last day could not be read'),
  );
  const losses = await recallLosses(config, store, now()).catch((error: unknown) => {
    log.warn({ err: error }, 'whether data were lost in the last day could not be read');
    return new Map<string, DataLoss>();
  });
  const history = await openHistory({
    directory: config.dataDirectory,
    settings: config.history,
    now,
    warn,
    mayWrite: () => lease.isHeld(),
  });
  health.addSource(() => problemsOf(history));
  const watch = createWatch({
    instances: config.instances,
    thresholds: config.thresholds,
    now,
    log: { info: (message) => log.info(message), warn },
    random: Math.random,
    slowThresholdMs: (instance, queueId, type) => store.typeThresholds.of(instance, queueId, type),
    newId,
    // A console that changes nothing gives no orders, nor those of before.
    ...(config.permits.isReadOnly ? {} : { givenOrders: store.givenOrders }),
    permits: config.permits,
    recordEvent: recordAsLeader({ lease, timeline: store.timeline, record: recordEvent, now }),
    markers: (instance) => markers.of(instance),
    lossBefore: (instance) => losses.get(instance) ?? null,
    health,
    lostWorkers: store.lostWorkers,
  });
  history.follow(watch);
  followDismissals(watch, store, warn);
  const isLeader = (): boolean => lease.isHeld();
  const keeper = new PredictionKeeper({ watch, log: store.predictions, isLeader, now, newId, warn });
  await keeper
    .start()
    .catch((error: unknown) => log.warn({ err: error }, 'open forecasts could not be read'));
  const { episodes: episodeLog, timeline } = store;
  const episodes = new EpisodeKeeper({ watch, episodes: episodeLog, timeline, isLeader, now, newId, warn });
  await episodes
    .start()
    .catch((error: unknown) => log.warn({ err: error }, 'findings that were open could not be read'));
  return {
    watch,
    markers,
    history,
    keeper,
    async stop() {
      keeper.stop();
      await episodes.stop();
      await watch.stop();
      await history.stop();
    },
  };
}

/** Losses of data of the last day, by what the timeline says of them: a console that restarts goes on to show them. */
async function recallLosses(config: Config, store: Store, nowMs: number): Promise<Map<string, DataLoss>> {
  const losses = new Map<string, DataLoss>();
  for (const { name: instance } of config.instances) {
    const sinceMs = nowMs - LOSS_SHOWN_MS;
    const [entry] = await store.timeline.list({ instance, kinds: ['redis.data-lost'], sinceMs, limit: 1 });
    if (entry && ((await dismissedAtMs(store, instance, sinceMs)) ?? 0) < entry.atMs)
      losses.set(instance, { atMs: entry.atMs, text: entry.text.replace(/\.$/, ''), queues: [] });
  }
  return losses;
}

/** When a loss of data was dismissed last, by this console or another one with this store; null: not since then. */
async function dismissedAtMs({ audit }: Store, instance: string, sinceMs: number): Promise<number | null> {
  const records = await audit.list({ instance, action: 'redis.dismiss-loss', sinceMs, limit: 20 });
  return records.find(({ status }) => status === 'applied')?.atMs ?? null;
}

/** Takes over, while a loss is shown, that it was dismissed at another console. */
function followDismissals(watch: Watch, store: Store, warn: (message: string) => void): void {
  const askedAtMs = new Map<string, number>();
  watch.onTick((instance, atMs) => {
    const loss = watch.snapshot(instance)?.dataLoss;
    if (!loss || atMs - (askedAtMs.get(instance) ?? 0) < DISMISSALS_EVERY_MS) return;
    askedAtMs.set(instance, atMs);
    void dismissedAtMs(store, instance, loss.atMs).then(
      (untilMs) => untilMs !== null && watch.dismissLoss(instance, untilMs),
      (error: unknown) => warn(`whether a loss of data was dismissed could not be read: ${String(error)}`),
    );
  }, 'dismissals of lost data');
}

function problemsOf(history: History): readonly HealthProblem[] {
  const text = history.problem();
  return text === null ? [] : [{ code: 'history', subject: '', text }];
}

/** What every part is given. */
export interface Common {
  readonly now: () => number;
  readonly newId: () => string;
  /** Onto the timeline; what can't be kept there is logged. */
  readonly recordEvent: RecordEvent;
  readonly log: Logger;
  /** Told of whatever of the console fails. */
  readonly health: OwnHealth;
}

import { findingSteps } from './findings/index.js';
import { detectOwnFindings } from './findings/own-findings.js';
import { compareFindings, marked, trackFindings } from './findings/track.js';
import type { CurrentFinding, Finding, FindingRule, Thresholds } from './model/finding.js';
import { findingsUnread } from './model/finding.js';
import type { InstanceConfig } from './model/instance-config.js';
import { CountRefused } from './model/memory.js';
import { ALL_PERMITTED, type Permits } from './model/permits.js';
import { freshnessOf } from './model/sight.js';
import type { DataLoss, Marker } from './model/snapshot.js';
import type { RecordEvent } from './model/timeline-entry.js';
import { Yielder } from './process/every.js';
import { OwnHealth } from './process/own-health.js';
import { RedisLink } from './redis/link.js';
import type { GivenOrders } from './watch/given-orders.js';
import { InstanceWatch } from './watch/instance-watch.js';
import type { LostWorkerStore } from './watch/lost-workers.js';
import { SelfDelayMeter } from './watch/self-delay-meter.js';
import type { TickListener, Watch } from './watch/watch.js';

interface WatchOptions {
  readonly instances: readonly InstanceConfig[];
  readonly thresholds: Thresholds;
  readonly now: () => number;
  readonly log: { info(message: string): void; warn(message: string): void };
  /** Run time from which a person calls a job type slow, ms; null: not set. */
  readonly slowThresholdMs: (instance: string, queueId: string, type: string) => number | null;
  /** 0 ≤ x < 1, for samples. */
  readonly random: () => number;
  readonly newId: () => string;
  /** A loss of data that an earlier process of this console found; absent: none. */
  readonly lossBefore?: (instance: string) => DataLoss | null;
  /** Orders for workers that this console has given and that stand; absent: workers with a secret get none when they come later. */
  readonly givenOrders?: GivenOrders;
  /** What of the actions is not done here; absent: all is. */
  readonly permits?: Permits;
  /** Told what happens, for the timeline. */
  readonly recordEvent: RecordEvent;
  /** Markers of an instance, the same array until something changes; absent: there are none. */
  readonly markers?: (instance: string) => readonly Marker[];
  /** What is wrong with the console itself, noted by parts that throw here; absent: one for this alone. */
  readonly health?: OwnHealth;
  /** Absent: all that there are. */
  readonly rules?: readonly FindingRule[];
  /** Where workers that are gone are remembered; absent: nowhere, so until the console ends. */
  readonly lostWorkers?: LostWorkerStore;
}

const NO_MARKERS: readonly Marker[] = [];
const EMPTY_SERIES = { atMs: [], values: {} } as const;

/** Starts one poller for each instance and returns at once: a Redis that is down is shown as such, and tried on. */
export function createWatch(options: WatchOptions): Watch {
  const { rules } = options;
  const { health = new OwnHealth({ now: options.now, warn: (message) => options.log.warn(message) }) } =
    options;
  const listeners = new Map<TickListener, string>();
  const tracked = new Map<string, readonly Finding[]>();
  /** What was found when it could be judged last, without marks of being last seen. */
  const judged = new Map<string, readonly CurrentFinding[]>();
  const watches = new Map<string, InstanceWatch>();
  const meter = new SelfDelayMeter(options.now);

  let own: readonly Finding[] = [];
  let parkingBytes = Number.POSITIVE_INFINITY;

  const judge = async ({ snapshot }: InstanceWatch, nowMs: number, yielder: Yielder): Promise<void> => {
    const guarded = { ...(rules ? { rules } : {}), guard: health.guard, parkingBytes };
    const isFirst = snapshot.instance === options.instances[0]?.name;
    // The console is starved once, and shown elsewhere only where something there follows from it.
    const all = await yielder.through(findingSteps(snapshot, nowMs, options.thresholds, guarded));
    const found = all.filter(
      ({ code, explains }) => isFirst || code !== 'console.starved' || explains !== undefined,
    );
    const unread = findingsUnread(judged.get(snapshot.instance) ?? [], found, snapshot.unread);
    if (freshnessOf(snapshot, nowMs).isLive)
      judged.set(snapshot.instance, [...found, ...unread.map(({ finding }) => finding)]);
    const lastSeen = unread.map(({ finding, readAtMs }) => marked(finding, nowMs, readAtMs));
    const before = tracked.get(snapshot.instance) ?? [];
    tracked.set(snapshot.instance, trackFindings(before, [...found, ...lastSeen], nowMs));
  };

  // The console is one whatever the number of instances, and whatever these do: its troubles are shown beside the first's.
  const judgeOwn = (nowMs: number): void => {
    const found = detectOwnFindings(health.problems(), options.instances[0]?.name ?? '');
    own = trackFindings(own, found, nowMs);
  };

  // With thousands of queues each of those who follow ticks takes its time: pages are served between them.
  const onTick = async (instance: string, atMs: number): Promise<void> => {
    const yielder = new Yielder();
    const watch = watches.get(instance);
    if (watch)
      await judge(watch, atMs, yielder).catch((error: unknown) =>
        health.note(`findings of ${instance}`, error),
      );
    health.guard('findings of the console', () => judgeOwn(atMs), undefined);
    for (const [listener, part] of [...listeners]) {
      await yielder.yieldToEventLoop();
      if (listeners.has(listener)) health.guard(part, () => listener(instance, atMs), undefined);
    }
  };

  const deps = {
    ...options,
    givenOrders: options.givenOrders ?? null,
    lostWorkers: options.lostWorkers ?? null,
    markers: options.markers ?? (() => NO_MARKERS),
    lossBefore: options.lossBefore ?? (() => null),
    onTick,
    self: () => meter.delay,
    permits: options.permits ?? ALL_PERMITTED,
    health,
  };
  for (const config of options.instances)
    watches.set(config.name, new InstanceWatch(config, new RedisLink(config), deps));
  for (const watch of watches.values()) watch.start();

  return {
    snapshots: () => [...watches.values()].map((watch) => watch.snapshot),
    snapshot: (instance) => watches.get(instance)?.snapshot ?? null,
    findings: () => [...[...tracked.values()].flat(), ...own].sort(compareFindings),
    instanceSeries: (instance) => watches.get(instance)?.instanceSeries() ?? EMPTY_SERIES,
    queueSeries: (instance, queueId) => watches.get(instance)?.reader.queueSeries(queueId) ?? EMPTY_SERIES,
    workerSeries: (instance, id) => watches.get(instance)?.workerSeries(id) ?? null,
    link: (instance) => watches.get(instance)?.link ?? null,
    agents: (instance) => watches.get(instance)?.agents ?? null,
    onTick: (listener, part = 'a listener of ticks') => {
      listeners.set(listener, part);
      return () => listeners.delete(listener);
    },
    noteTaken: (instance, queueId, jobs) => watches.get(instance)?.reader.noteTaken(queueId, jobs),
    refreshSoon: (instance, queueId) => watches.get(instance)?.reader.refreshSoon(queueId),
    noteAction: (instance, done) => watches.get(instance)?.noteAction(done),
    noteAudited: (instance, audited) => watches.get(instance)?.noteAudited(audited),
    noteParkingSpace: (bytes) => {
      parkingBytes = bytes;
    },
    dismissWorker: async (instance, id) => (await watches.get(instance)?.dismissWorker(id)) ?? null,
    dismissLoss: (instance, untilMs) => watches.get(instance)?.dismissLoss(untilMs),
    startCount: (instance, queueId, isDryRun = false) => {
      const watch = watches.get(instance);
      if (!watch) throw new CountRefused('unavailable', `there is no Redis named ${instance}`);
      return watch.count((memory) => memory.startCount(queueId, isDryRun));
    },
    stopCount: (instance, queueId) =>
      watches.get(instance)?.count((memory) => memory.stopCount(queueId)) ?? null,
    stop: async () => {
      meter.stop();
      await Promise.all([...watches.values()].map((watch) => watch.stop()));
    },
  };
}

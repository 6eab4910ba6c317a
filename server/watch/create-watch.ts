import type { HealthProblem } from '../alerts/console-health.js';
import type { Finding, Thresholds } from '../findings/finding.js';
import { detectFindings } from '../findings/index.js';
import { compareFindings, trackFindings } from '../findings/track.js';
import type { InstanceConfig } from '../instance-config.js';
import { RedisLink } from '../redis/link.js';
import type { TellEvent } from '../store/timeline-entry.js';
import { CountRefused } from './count-refused.js';
import { InstanceWatch } from './instance-watch.js';
import type { Marker } from './marker.js';
import { SelfDelayMeter } from './self-delay-meter.js';
import type { Snapshot } from './snapshot.js';
import type { Watch } from './watch.js';

export interface WatchOptions {
  readonly instances: readonly InstanceConfig[];
  readonly thresholds: Thresholds;
  readonly now: () => number;
  readonly log: { info(message: string): void; warn(message: string): void };
  /** Run time from which a person calls a job type slow, ms; null: not set. */
  readonly slowThresholdMs: (instance: string, queueId: string, type: string) => number | null;
  /** 0 ≤ x < 1, for samples. */
  readonly random: () => number;
  readonly newId: () => string;
  /** Told what happens, for the timeline. */
  readonly tell: TellEvent;
  /** Markers of an instance, the same array until something changes; absent: there are none. */
  readonly markers?: (instance: string) => readonly Marker[];
  /** What is wrong with the console itself; absent: nobody watches it. */
  readonly ownProblems?: () => readonly HealthProblem[];
}

const NO_MARKERS: readonly Marker[] = [];
const EMPTY_SERIES = { atMs: [], values: {} } as const;

/** Starts one poller for each instance and returns at once: a Redis that is down is shown as such, and tried on. */
export function createWatch(options: WatchOptions): Watch {
  const listeners = new Set<(instance: string) => void>();
  const tracked = new Map<string, readonly Finding[]>();
  const watches = new Map<string, InstanceWatch>();
  const meter = new SelfDelayMeter(options.now);
  const self = () => meter.delay;

  // The console is one whatever the number of instances: its troubles are told with the first.
  const withOwnProblems = (snapshot: Snapshot): Snapshot => {
    const isFirst = snapshot.instance === options.instances[0]?.name;
    return isFirst && options.ownProblems ? { ...snapshot, ownProblems: options.ownProblems() } : snapshot;
  };

  const judge = (watch: InstanceWatch): readonly Finding[] => {
    const nowMs = options.now();
    const snapshot = watch.snapshot;
    const found = detectFindings(withOwnProblems(snapshot), nowMs, options.thresholds);
    const findings = trackFindings(tracked.get(snapshot.instance) ?? [], found, nowMs);
    tracked.set(snapshot.instance, findings);
    return findings;
  };

  const onTick = (instance: string): void => {
    const watch = watches.get(instance);
    if (watch) judge(watch);
    for (const listener of listeners) listener(instance);
  };

  for (const config of options.instances) {
    const { now, log, random, slowThresholdMs, newId, tell, thresholds } = options;
    const { markers = () => NO_MARKERS } = options;
    const deps = { now, log, random, slowThresholdMs, newId, tell, thresholds, markers, onTick, self };
    watches.set(config.name, new InstanceWatch(config, new RedisLink(config), deps));
  }
  for (const watch of watches.values()) watch.start();

  return {
    snapshots: () => [...watches.values()].map((watch) => watch.snapshot),
    snapshot: (instance) => watches.get(instance)?.snapshot ?? null,
    findings: () => [...tracked.values()].flat().sort(compareFindings),
    instanceSeries: (instance) => watches.get(instance)?.instanceSeries() ?? EMPTY_SERIES,
    queueSeries: (instance, queueId) => watches.get(instance)?.queueSeries(queueId) ?? EMPTY_SERIES,
    link: (instance) => watches.get(instance)?.link ?? null,
    agents: (instance) => watches.get(instance)?.agents ?? null,
    onTick: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    refreshSoon: (instance, queueId) => watches.get(instance)?.refreshSoon(queueId),
    noteAction: (instance, queueId) => watches.get(instance)?.noteAction(queueId),
    startCount: (instance, queueId) => {
      const watch = watches.get(instance);
      if (!watch) throw new CountRefused('unavailable', `there is no Redis named ${instance}`);
      return watch.startCount(queueId);
    },
    stopCount: (instance, queueId) => watches.get(instance)?.stopCount(queueId) ?? null,
    stop: async () => {
      meter.stop();
      await Promise.all([...watches.values()].map((watch) => watch.stop()));
    },
  };
}

import type { Evidence, FindingRule, FoundNow, Thresholds } from '../model/finding.js';
import { formatBytes, formatBytesPerSecond, formatDuration, formatRatio } from '../model/format.js';
import { isSettling } from '../model/sight.js';
import type { RedisNode, Snapshot } from '../model/snapshot.js';
import { nodeName } from '../model/words.js';
import { mainHolder } from './main-holder.js';
import { parkLargestType, raiseMaxmemory, reclaimRemedies } from './make-room.js';
import { memoryEvidence } from './redis-full.js';

/** Less time than this is too little to find out more: act now. */
const ACT_NOW_SECONDS = 300;
/** A forecast alone is only that red with half of the room gone, or after growth that lasted: else it is a burst's first seconds. */
const RED_FROM_RATIO = 0.5;
const LASTING_MS = 60_000;

export const redisFilling: FindingRule = {
  code: 'redis.filling',
  about: 'Redis is close to its memory limit, or will be there within the horizon at the present growth.',
  detect: (snapshot, nowMs, thresholds) =>
    snapshot.nodes
      .filter((node) => !node.isFull && isFilling(node, thresholds))
      .map((node) => filling(node, snapshot, nowMs, thresholds)),
};

/** What was watched for two minutes says nothing about the next hour: this many times the window is forecast. */
const WINDOWS_AHEAD = 10;

function isFilling(node: RedisNode, thresholds: Thresholds): boolean {
  return (node.usedRatio ?? 0) >= thresholds.memoryWarnRatio || isFullSoon(node, thresholds);
}

export function isFullSoon({ forecast }: RedisNode, thresholds: Thresholds): boolean {
  const seconds = forecast?.fullInSeconds ?? null;
  if (forecast === null || seconds === null) return false;
  const credible = (WINDOWS_AHEAD * forecast.windowMs) / 1000;
  return seconds > 0 && seconds <= Math.min(thresholds.fillHorizonSeconds, credible);
}

/** Is the trend old and far enough to call it urgent, and not of before a change that was just made? */
function isUrgent({ forecast, usedRatio }: RedisNode, snapshot: Snapshot, nowMs: number): boolean {
  const seconds = forecast?.fullInSeconds ?? null;
  if (forecast === null || seconds === null || seconds > ACT_NOW_SECONDS) return false;
  if (isSettling(snapshot, nowMs)) return false;
  return (usedRatio ?? 0) >= RED_FROM_RATIO || forecast.windowMs >= LASTING_MS;
}

function filling(node: RedisNode, snapshot: Snapshot, nowMs: number, thresholds: Thresholds): FoundNow {
  const seconds = node.forecast?.fullInSeconds ?? null;
  const isSoon = isFullSoon(node, thresholds);
  const isCritical =
    (node.usedRatio ?? 0) >= thresholds.memoryCriticalRatio || (isSoon && isUrgent(node, snapshot, nowMs));
  const holder = mainHolder(snapshot);
  // What takes the cause away comes first here: Redis still takes writes, so it works at once.
  const remedies = [
    holder?.remedy ?? null,
    ...reclaimRemedies(snapshot.queues),
    raiseMaxmemory(node),
    parkLargestType(snapshot.queues),
  ].filter((remedy) => remedy !== null);
  const remaining = seconds === null ? '' : `full in ${formatDuration(seconds)}`;
  return {
    severity: isCritical ? 'critical' : 'warning',
    queue: null,
    node: node.id,
    title: isSoon
      ? `${nodeName(node, snapshot)} ${remaining}`
      : `${nodeName(node, snapshot)} is ${formatRatio(node.usedRatio ?? 0)} full`,
    sentence: `${state(node, snapshot)}: ${isSoon ? `at this growth it is ${remaining}${band(node)}` : 'what is left can fill in minutes'}, and then ${consequence(node)}.${holder ? ` ${holder.sentence}` : ''}`,
    evidence: [...memoryEvidence(node), ...fullIn(node), ...(holder?.evidence ?? [])],
    remedies,
    rank: 800 + urgency(seconds, node.usedRatio ?? 0),
    accountsFor: holder?.accountsFor ?? [],
  };
}

function state(node: RedisNode, snapshot: Snapshot): string {
  const held = `${nodeName(node, snapshot)} holds ${formatBytes(node.countedBytes)}`;
  const limit = node.limit ? ` of ${formatBytes(node.limit.bytes)}${limitSource(node)}` : '';
  const growth = node.forecast?.growthBytesPerSecond ?? 0;
  if (growth > 0) return `${held}${limit} and grows by ${formatBytesPerSecond(growth)}`;
  return node.forecast ? `${held}${limit} and is not growing now` : `${held}${limit}`;
}

function fullIn({ forecast }: RedisNode): readonly Evidence[] {
  if (forecast === null) return [];
  if (forecast.notKnown !== null) return [{ label: 'full in', value: `not known: ${forecast.notKnown}` }];
  const { fullInSeconds } = forecast;
  return fullInSeconds === null ? [] : [{ label: 'full in', value: fullInSeconds, unit: 'seconds' }];
}

function limitSource(node: RedisNode): string {
  if (node.limit?.source === 'cgroup') return " (its container's limit, as no maxmemory is set)";
  if (node.limit?.source === 'host') return " (the host's memory, as no maxmemory is set)";
  return '';
}

/** Earliest and latest, where they differ enough to matter. */
function band(node: RedisNode): string {
  const range = node.forecast?.fullInRange;
  if (!range || !(range[1] > range[0] * 1.3) || !Number.isFinite(range[1])) return '';
  return ` (between ${formatDuration(range[0])} and ${formatDuration(range[1])})`;
}

function consequence(node: RedisNode): string {
  if (node.limit && node.limit.source !== 'maxmemory')
    return 'the kernel ends Redis, with every job not yet on disk';
  if (node.policy === 'noeviction') return 'producers are refused and idle workers stop';
  return `Redis deletes keys by itself (${node.policy}), jobs among them`;
}

/** 0..99: less time and less room come first. */
function urgency(seconds: number | null, usedRatio: number): number {
  const byTime = seconds === null ? 0 : 50 / (1 + Math.max(0, seconds) / 60);
  return byTime + 49 * Math.min(1, Math.max(0, usedRatio));
}

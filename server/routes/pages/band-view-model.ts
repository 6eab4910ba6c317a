import type { BandProps, BarMark, BarProps, Fact, State } from '../../../views/band.js';
import type { Thresholds } from '../../findings/finding.js';
import {
  formatBytes,
  formatBytesPerSecond,
  formatCount,
  formatDuration,
  formatRate,
  formatRatio,
} from '../../model/format.js';
import { sightOf } from '../../model/sight.js';
import type { RedisNode, Snapshot } from '../../watch/snapshot.js';
import { instancePath } from './links.js';
import { coarseAge, elementId, UNKNOWN } from './words.js';

const TOPOLOGY_WORDS = { single: 'single', sentinel: 'Sentinel', cluster: 'Cluster' } as const;
/** A console that takes more of Redis than this is worth a look even within its budget. */
const OWN_CPU_NOTABLE = 0.02;

/** One Redis as its band shows it. */
export function bandOf(snapshot: Snapshot, nowMs: number, thresholds: Thresholds): BandProps {
  const node = fullestNode(snapshot);
  const { state, verdict, headline } = judge(snapshot, node, nowMs, thresholds);
  return {
    id: elementId('band', snapshot.instance),
    name: snapshot.instance,
    href: instancePath(snapshot.instance),
    about: aboutOf(snapshot, node),
    state,
    verdict,
    headline,
    bar: node ? barOf(node, thresholds, state) : null,
    facts: factsOf(snapshot, node),
    notices: noticesOf(snapshot),
  };
}

/** The node that is nearest to its limit speaks for a Cluster. */
export function fullestNode(snapshot: Snapshot): RedisNode | null {
  return snapshot.nodes.reduce<RedisNode | null>(
    (worst, node) => (worst === null || (node.usedRatio ?? 0) > (worst.usedRatio ?? 0) ? node : worst),
    null,
  );
}

interface Judgement {
  readonly state: State;
  readonly verdict: string;
  readonly headline: string;
}

/** From the worst down; each says its numbers. */
function judge(snapshot: Snapshot, node: RedisNode | null, nowMs: number, thresholds: Thresholds): Judgement {
  const { isLive, ageSeconds } = sightOf(snapshot, nowMs);
  const problem = snapshot.link.problem ? ` ${snapshot.link.problem.replace(/\.+$/, '')}.` : '';
  if (ageSeconds === null || !node) {
    const words = snapshot.link.status === 'unreachable' ? 'Can’t be reached.' : 'Connecting.';
    return { state: 'blind', verdict: `${words}${problem}`, headline: 'nothing seen yet' };
  }
  if (!isLive) {
    return {
      state: 'blind',
      verdict: `Not live: every number below is old.${problem}`,
      headline: `seen ${coarseAge(ageSeconds)} ago`,
    };
  }
  const share = node.usedRatio === null ? '' : formatRatio(node.usedRatio);
  if (node.isFull) {
    const refused = node.refusedPerSecond ? ` ${formatRate(node.refusedPerSecond)} refused now.` : '';
    return {
      state: 'critical',
      verdict: `Full. Writes that add memory are refused.${refused}`,
      headline: `${share} · full`,
    };
  }
  if (node.isReadOnly)
    return { state: 'warning', verdict: 'Read-only replica: levers do not work here.', headline: share };
  const fullIn = node.forecast?.fullInSeconds ?? null;
  if (fullIn !== null && fullIn <= thresholds.fillHorizonSeconds) {
    const isSoon = fullIn <= 600;
    return {
      state: isSoon ? 'critical' : 'warning',
      verdict: `Filling at ${formatBytesPerSecond(node.forecast?.growthBytesPerSecond ?? 0)}.`,
      headline: `full in ${coarseAge(fullIn)}`,
    };
  }
  return judgeLevel(node, thresholds, share);
}

function judgeLevel(node: RedisNode, thresholds: Thresholds, share: string): Judgement {
  const ratio = node.usedRatio;
  if (node.maxBytes === 0) {
    const source = node.limit ? ` (${formatBytes(node.limit.bytes)} by the ${node.limit.source})` : '';
    return {
      state: 'warning',
      verdict: `No maxmemory is set: it may take all of its host${source}.`,
      headline: share || formatBytes(node.usedBytes),
    };
  }
  if (ratio !== null && ratio >= thresholds.memoryCriticalRatio)
    return { state: 'critical', verdict: 'Nearly full.', headline: share };
  if (ratio !== null && ratio >= thresholds.memoryWarnRatio)
    return { state: 'warning', verdict: 'High, and not filling fast.', headline: share };
  if (node.policy !== 'noeviction')
    return {
      state: 'warning',
      verdict: `Has room. At the limit it would delete keys (${node.policy}).`,
      headline: share,
    };
  return { state: 'calm', verdict: 'Has room.', headline: share };
}

function aboutOf(snapshot: Snapshot, node: RedisNode | null): string {
  const parts = [snapshot.link.address];
  if (node) parts.push(`Redis ${node.version}`);
  parts.push(TOPOLOGY_WORDS[snapshot.link.topology]);
  if (snapshot.nodes.length > 1) parts.push(`fullest of ${snapshot.nodes.length} nodes`);
  return parts.join(' · ');
}

/** The bar ends at the limit, or at what is held where that is more. */
export function barOf(node: RedisNode, thresholds: Thresholds, state: State): BarProps | null {
  if (!node.limit) return null;
  const limit = node.limit.bytes;
  const scale = Math.max(limit, node.countedBytes);
  const percent = (bytes: number): number => Math.round((bytes / scale) * 1000) / 10;
  const marks: BarMark[] = [
    {
      atPercent: percent(limit * thresholds.memoryWarnRatio),
      label: formatRatio(thresholds.memoryWarnRatio),
      isLimit: false,
    },
    {
      atPercent: percent(limit * thresholds.memoryCriticalRatio),
      label: formatRatio(thresholds.memoryCriticalRatio),
      isLimit: false,
    },
    {
      atPercent: percent(limit),
      label: `${formatBytes(limit)}${node.limit.source === 'maxmemory' ? '' : ` ${node.limit.source}`}`,
      isLimit: true,
    },
  ];
  const within = Math.min(node.countedBytes, limit);
  return {
    usedPercent: percent(within),
    overPercent: percent(Math.max(0, node.countedBytes - limit)),
    state,
    marks,
    text: `${formatBytes(node.countedBytes)} of ${formatBytes(limit)} used`,
  };
}

function factsOf(snapshot: Snapshot, node: RedisNode | null): readonly Fact[] {
  const { poll } = snapshot;
  if (!node) return EMPTY_LABELS.map((label) => ({ label, value: UNKNOWN }));
  const growth = node.forecast?.growthBytesPerSecond ?? null;
  const refused = node.refusedPerSecond;
  return [
    { label: 'Used', value: formatBytes(node.countedBytes), hint: 'What Redis holds against its limit' },
    {
      label: 'Limit',
      value: node.limit ? formatBytes(node.limit.bytes) : 'none',
      ...(node.maxBytes === 0 ? { state: 'warning' as const } : {}),
    },
    { label: 'Trend', value: trendInWords(growth) },
    { label: 'Full in', value: fullInWords(node) },
    {
      label: 'Policy',
      value: node.policy,
      ...(node.policy === 'noeviction' ? {} : { state: 'warning' as const }),
    },
    {
      label: 'Refused',
      value: refused === null ? UNKNOWN : formatRate(refused),
      ...(refused ? { state: 'critical' as const } : {}),
      hint: 'Commands refused for want of memory',
    },
    { label: 'Ops', value: `${formatCount(node.opsPerSecond)}/s` },
    { label: 'Clients', value: formatCount(node.connectedClients) },
    {
      label: 'Console’s share',
      value: formatRatio(poll.ownCpuRatio),
      hint: `Of one core of Redis; budget ${formatRatio(poll.budgetRatio)}`,
      ...(poll.ownCpuRatio > Math.max(poll.budgetRatio, OWN_CPU_NOTABLE)
        ? { state: 'warning' as const }
        : {}),
    },
  ];
}

const EMPTY_LABELS = [
  'Used',
  'Limit',
  'Trend',
  'Full in',
  'Policy',
  'Refused',
  'Ops',
  'Clients',
  'Console’s share',
];

export function trendInWords(bytesPerSecond: number | null): string {
  if (bytesPerSecond === null) return UNKNOWN;
  if (Math.abs(bytesPerSecond) < 1024) return 'steady';
  const arrow = bytesPerSecond > 0 ? '↑' : '↓';
  return `${arrow} ${formatBytesPerSecond(Math.abs(bytesPerSecond))}`;
}

export function fullInWords(node: RedisNode): string {
  if (node.isFull) return 'full now';
  const seconds = node.forecast?.fullInSeconds ?? null;
  if (seconds === null) return 'not filling';
  return coarseAge(seconds);
}

function noticesOf({ poll, discovery, nodes }: Snapshot): readonly string[] {
  const notices: string[] = [];
  if (poll.isSlowed) {
    const why = poll.slowedBecause ? `: ${poll.slowedBecause}` : '';
    notices.push(
      `Read every ${formatDuration(poll.intervalMs / 1000)} instead of ${formatDuration(poll.baseIntervalMs / 1000)}${why}.`,
    );
  }
  if (nodes.length > 0 && discovery.lastPassAtMs === null)
    notices.push('Still looking for queues: the list is not complete yet.');
  return notices;
}

import type { BandProps, BarMark, BarProps, Fact, State } from '../../../views/band.js';
import { instancePath } from '../../../views/links.js';
import { coarseAge, elementId, UNKNOWN } from '../../../views/words.js';
import { isFullSoon } from '../../findings/redis-memory-rules.js';
import type { Finding, Thresholds } from '../../model/finding.js';
import {
  formatBytes,
  formatBytesPerSecond,
  formatCount,
  formatDuration,
  formatRate,
  formatRatio,
} from '../../model/format.js';
import { fullestNode } from '../../model/queue-verdict.js';
import { freshnessOf, isSettling } from '../../model/sight.js';
import type { RedisNode, Snapshot } from '../../model/snapshot.js';

const TOPOLOGY_WORDS = { single: 'single', sentinel: 'Sentinel', cluster: 'Cluster' } as const;
/** A console that takes more of Redis than this is worth a look even within its budget. */
const OWN_CPU_NOTABLE = 0.02;

/**
 * One Redis as its band shows it.
 * @param findings of any instance, worst first: what is wrong with a Redis is said by them, and here in fewer words.
 */
export function bandOf(
  snapshot: Snapshot,
  findings: readonly Finding[],
  nowMs: number,
  thresholds: Thresholds,
): BandProps {
  const node = fullestNode(snapshot);
  const problem = findings.find(
    ({ instance, code }) => instance === snapshot.instance && code.startsWith('redis.'),
  );
  const { state, verdict, headline } = judge(snapshot, node, problem ?? null, nowMs, thresholds);
  return {
    id: elementId('band', snapshot.instance),
    name: snapshot.instance,
    href: instancePath(snapshot.instance),
    about: aboutOf(snapshot, node),
    state,
    verdict,
    headline,
    bar: node ? barOf(node, thresholds, state) : null,
    facts: factsOf(snapshot, node, nowMs),
    notices: noticesOf(snapshot),
  };
}

interface Judgement {
  readonly state: State;
  readonly verdict: string;
  readonly headline: string;
}

/** How bad it is comes from the finding, in the words and numbers of a card. */
function judge(
  snapshot: Snapshot,
  node: RedisNode | null,
  problem: Finding | null,
  nowMs: number,
  thresholds: Thresholds,
): Judgement {
  const { isLive, ageSeconds } = freshnessOf(snapshot, nowMs);
  const trouble = snapshot.link.problem ? ` ${snapshot.link.problem.replace(/\.+$/, '')}.` : '';
  if (ageSeconds === null || !node) {
    const words = snapshot.link.status === 'unreachable' ? 'Can’t be reached.' : 'Connecting.';
    return { state: 'blind', verdict: `${words}${trouble}`, headline: 'nothing seen yet' };
  }
  if (!isLive) {
    return {
      state: 'blind',
      verdict: `Not live: every number below is old.${trouble}`,
      headline: `seen ${coarseAge(ageSeconds)} ago`,
    };
  }
  const share = node.usedRatio === null ? formatBytes(node.usedBytes) : formatRatio(node.usedRatio);
  const settling = isSettling(snapshot, nowMs) ? ' Settling after an action.' : '';
  if (problem === null) return { state: 'calm', verdict: `Has room.${settling}`, headline: share };
  const { words, headline } = wordsOf(problem, node, thresholds);
  return { state: problem.severity, verdict: `${words}${settling}`, headline: headline ?? share };
}

function wordsOf(
  { code, headline }: Finding,
  node: RedisNode,
  thresholds: Thresholds,
): { readonly words: string; readonly headline?: string } {
  switch (code) {
    case 'redis.full': {
      const refused = node.refusedPerSecond ? ` ${formatRate(node.refusedPerSecond)} refused now.` : '';
      const share = node.usedRatio === null ? '' : `${formatRatio(node.usedRatio)} · `;
      return { words: `Full. Writes that add memory are refused.${refused}`, headline: `${share}full` };
    }
    case 'redis.filling': {
      const { forecast } = node;
      if (forecast && isFullSoon(node, thresholds))
        return {
          words: `Filling at ${formatBytesPerSecond(forecast.growthBytesPerSecond)}.`,
          headline: `full in ${formatDuration(forecast.fullInSeconds ?? 0)}`,
        };
      const isCritical = (node.usedRatio ?? 0) >= thresholds.memoryCriticalRatio;
      return { words: isCritical ? 'Nearly full.' : 'High, and not filling fast.' };
    }
    case 'redis.no-limit': {
      const source = node.limit ? ` (${formatBytes(node.limit.bytes)} by the ${node.limit.source})` : '';
      return { words: `No maxmemory is set: it may take all of its host${source}.` };
    }
    case 'redis.eviction-policy':
      return { words: `Has room. At the limit it would delete keys (${node.policy}).` };
    case 'redis.read-only':
      return { words: 'Read-only replica: actions do not work here.' };
    default:
      return { words: `${headline}.` };
  }
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

function factsOf(snapshot: Snapshot, node: RedisNode | null, nowMs: number): readonly Fact[] {
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
    { label: 'Trend', value: isSettling(snapshot, nowMs) ? 'settling' : trendInWords(growth) },
    fullInFact(node),
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

function fullInFact(node: RedisNode): Fact {
  const { notKnown = null } = node.forecast ?? {};
  if (node.isFull || notKnown === null) return { label: 'Full in', value: fullInWords(node) };
  return { label: 'Full in', value: 'not known', hint: `Not known: ${notKnown}` };
}

/** "3 min 10 s", "not filling", "not known: the trend of the last 20 s allows anything from 5 s to 2 h" */
export function fullInWords({ isFull, forecast }: RedisNode): string {
  if (isFull) return 'full now';
  if (forecast !== null && forecast.notKnown !== null) return `not known: ${forecast.notKnown}`;
  const seconds = forecast?.fullInSeconds ?? null;
  if (seconds === null) return 'not filling';
  return seconds <= 0 ? 'at its limit' : formatDuration(seconds);
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

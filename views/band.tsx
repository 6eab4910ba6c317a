import type { FC } from 'hono/jsx';
import type { Finding } from '../server/model/finding.js';
import {
  formatBytes,
  formatBytesPerSecond,
  formatCount,
  formatDuration,
  formatRate,
  formatRatio,
} from '../server/model/format.js';
import { memorySharesOf } from '../server/model/memory-shares.js';
import { fullestNode } from '../server/model/queue-verdict.js';
import { freshnessOf, isSettling } from '../server/model/sight.js';
import type { RedisNode, Snapshot } from '../server/model/snapshot.js';
import { Curve, type CurveBand } from './drawn/curve.js';
import { coneTo, type Point, type Span } from './drawn/geometry.js';
import { type Pin, PinLegend } from './drawn/pin.js';
import { clockRange, clockTime } from './drawn/words.js';
import { SEVERITY_WORDS } from './finding.js';
import { instancePath } from './links.js';
import { MemoryBar, MemoryLegend } from './memory-bar.js';
import { type Fact, Facts, type State, StateIcon } from './state.js';
import { coarseAge, elementId, UNKNOWN } from './words.js';

/** What became of one Redis lately; the present is in its Snapshot. */
export interface RedisPast {
  /** Held against the limit, of the node that is shown. */
  readonly held: readonly Point[];
  /** The limit of that node. */
  readonly limit: readonly Point[];
  /** When writes were rejected for want of memory. */
  readonly rejected: readonly CurveBand[];
  /** What was done, deployed, and happened to Redis. */
  readonly pins: readonly Pin[];
}

export interface BandProps {
  readonly snapshot: Snapshot;
  /** The worst that is found about this Redis itself: what is wrong with it is said by it, and not twice. null: nothing. */
  readonly problem: Finding | null;
  readonly nowMs: number;
  /** null: not read yet. */
  readonly past: RedisPast | null;
  /** Every number of it: on its own page. */
  readonly isWhole?: boolean;
}

export function bandId(instance: string): string {
  return elementId('band', instance);
}

const TOPOLOGY_WORDS = { single: 'single', sentinel: 'Sentinel', cluster: 'Cluster' } as const;
/** A console that takes more of Redis than this is worth a look even within its budget. */
const OWN_CPU_NOTABLE = 0.02;

/** What one Redis comes to, at a glance: how full, how fast, until when, who holds it, and in words. */
export const Band: FC<BandProps> = (band) => {
  const { snapshot } = band;
  const node = fullestNode(snapshot);
  const { state, verdict, headline } = judgeRedis(band);
  return (
    <section
      id={bandId(snapshot.instance)}
      class={`band state-${state}`}
      aria-label={`Redis ${snapshot.instance}`}
    >
      <div class="band-head">
        <h2 class="band-name">
          <a href={instancePath(snapshot.instance)}>{snapshot.instance}</a>{' '}
          <span class="band-about">{aboutOf(snapshot, node)}</span>
        </h2>
        <p class="band-verdict">
          <StateIcon state={state} /> {verdict}
        </p>
        <p class="band-headline">{headline}</p>
      </div>
      {node ? <MemoryCurve band={band} node={node} /> : <div class="curve-none" />}
      <Holders snapshot={snapshot} />
      <Facts facts={factsOf(band, node)} />
      <p class="band-notice">{noticesOf(snapshot)}</p>
    </section>
  );
};

/** How bad it is comes from the finding, whose card stands beside it and says what it is. */
export function judgeRedis({ snapshot, problem, nowMs }: Pick<BandProps, 'snapshot' | 'problem' | 'nowMs'>): {
  readonly state: State;
  readonly verdict: string;
  /** What to read first, large: "83%", "102% full". */
  readonly headline: string;
} {
  const node = fullestNode(snapshot);
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
  const share = node.usedRatio === null ? formatBytes(node.countedBytes) : formatRatio(node.usedRatio);
  const headline = node.isFull ? `${share} full` : share;
  const settling = isSettling(snapshot, nowMs) ? ' Settling after an action.' : '';
  if (problem === null) return { state: 'calm', verdict: `OK.${settling}`, headline };
  return { state: problem.severity, verdict: `${SEVERITY_WORDS[problem.severity]}.${settling}`, headline };
}

/** How much of the past is drawn: the least that holds all that is known of the last half hour. */
const PAST_MS = [5, 10, 30].map((minutes) => minutes * 60_000);
/** Steps in which the picture moves on: about a pixel of a wide one. */
const STEP_MS = 15_000;
/** How much of what is to come is drawn, where it fills. */
const AHEAD_MS = [5, 15, 30].map((minutes) => minutes * 60_000);

const MemoryCurve: FC<{ readonly band: BandProps; readonly node: RedisNode }> = ({ band, node }) => {
  const { snapshot, past, nowMs } = band;
  const present = { atMs: Math.min(node.readAtMs, nowMs), value: node.countedBytes };
  const reach = reachOf(node);
  const held = (past?.held ?? []).filter(({ atMs }) => atMs < present.atMs);
  const span = spanOf(nowMs, held, reach);
  const pins = past?.pins ?? [];
  const rejects = node.refusedPerSecond !== null && node.refusedPerSecond > 0;
  const rejected = (past?.rejected ?? []).concat(
    rejects && !past?.rejected.some(({ toMs }) => toMs === null)
      ? [{ fromMs: present.atMs, toMs: null, label: 'writes rejected' }]
      : [],
  );
  return (
    <>
      <Curve
        title={`Memory of Redis ${snapshot.instance}`}
        unit="bytes"
        points={[...held, present]}
        span={span}
        nowMs={nowMs}
        limit={
          node.limit && {
            value: node.limit.bytes,
            label: node.limit.source === 'maxmemory' ? 'limit' : node.limit.source,
            was: past?.limit ?? [],
          }
        }
        forecast={
          node.limit && reach
            ? { points: coneTo(present, node.limit.bytes, reach, span.toMs), reaches: 'full' }
            : null
        }
        bands={rejected}
        pins={pins}
      />
      <div class="curve-legend">
        {rejected.length > 0 ? (
          <span class="curve-legend-band">
            <span class="curve-band-key" aria-hidden="true"></span> writes rejected
          </span>
        ) : null}
        {pins.length > 0 ? <PinLegend kinds={pins.map(({ kind }) => kind)} /> : null}
      </div>
    </>
  );
};

/** Earliest and latest in which it is full; null: it does not fill, is full, or nobody knows. */
function reachOf({ isFull, forecast }: RedisNode): readonly [number, number] | null {
  if (isFull || forecast === null || forecast.fullInSeconds === null) return null;
  return forecast.fullInRange ?? [forecast.fullInSeconds, forecast.fullInSeconds];
}

function spanOf(nowMs: number, held: readonly Point[], reach: readonly [number, number] | null): Span {
  const endMs = Math.ceil(nowMs / STEP_MS) * STEP_MS;
  const latestMs = reach === null ? 0 : Math.max(...reach) * 1000;
  const aheadMs = AHEAD_MS.find((ahead) => ahead >= latestMs) ?? AHEAD_MS.at(-1) ?? 0;
  const sinceMs = held.find(({ value }) => value !== null)?.atMs ?? nowMs;
  const pastMs = PAST_MS.find((past) => endMs - past <= sinceMs) ?? PAST_MS.at(-1) ?? 0;
  return { fromMs: endMs - pastMs, toMs: reach === null ? endMs : endMs + aheadMs };
}

const Holders: FC<{ readonly snapshot: Snapshot }> = ({ snapshot }) => {
  const shares = memorySharesOf(snapshot);
  // Its place is kept, so that nothing moves when the first samples come.
  if (shares.heldBytes < 1 || shares.byQueue.length === 0)
    return (
      <div class="holders-short">
        <p class="muted">
          {snapshot.capabilities?.canMeasureMemory === false
            ? 'Who holds it is not known: this Redis does not permit MEMORY USAGE.'
            : 'Who holds it is not sampled yet.'}
        </p>
      </div>
    );
  return (
    <div class="holders-short">
      <MemoryBar shares={shares} snapshot={snapshot} by="kinds" />
      <MemoryLegend shares={shares} snapshot={snapshot} />
    </div>
  );
};

function aboutOf(snapshot: Snapshot, node: RedisNode | null): string {
  const parts = [snapshot.link.address];
  if (node) parts.push(`Redis ${node.version}`);
  parts.push(TOPOLOGY_WORDS[snapshot.link.topology]);
  if (snapshot.nodes.length > 1) parts.push(`fullest of ${snapshot.nodes.length} nodes`);
  return parts.join(' · ');
}

/** At most four where others stand beside it; a policy that loses jobs is always among them. */
function factsOf(band: BandProps, node: RedisNode | null): readonly Fact[] {
  const { snapshot, nowMs, isWhole = false } = band;
  if (!node)
    return ['Used', 'Trend', 'Full at', 'Rejected writes'].map((label) => ({ label, value: UNKNOWN }));
  const rejected = node.refusedPerSecond;
  const limit = node.limit ? formatBytes(node.limit.bytes) : 'no limit';
  const facts: readonly Fact[] = [
    {
      label: 'Used',
      signal: 'redis_counted_bytes',
      value: `${formatBytes(node.countedBytes)} of ${limit}`,
      hint: 'What Redis holds against its limit',
      ...(node.maxBytes === 0 ? { state: 'warning' as const } : {}),
    },
    {
      label: 'Trend',
      signal: 'redis_growth_bytes_per_second',
      value: isSettling(snapshot, nowMs)
        ? 'settling'
        : trendInWords(node.forecast?.growthBytesPerSecond ?? null),
    },
    fullAtFact(node, nowMs),
    {
      label: 'Rejected writes',
      signal: 'redis_refused_commands_per_second',
      value: rejected === null ? UNKNOWN : formatRate(rejected),
      ...(rejected ? { state: 'critical' as const } : {}),
      hint: 'Commands rejected for want of memory (OOM)',
    },
  ];
  const policy: Fact = {
    label: 'Policy',
    value: node.policy,
    ...(node.policy === 'noeviction' ? {} : { state: 'warning' as const }),
  };
  if (!isWhole) return node.policy === 'noeviction' ? facts : [...facts, policy];
  return [...facts, policy, ...workFacts(snapshot, node)];
}

function workFacts({ poll }: Snapshot, node: RedisNode): readonly Fact[] {
  const isNotable = poll.ownCpuRatio > Math.max(poll.budgetRatio, OWN_CPU_NOTABLE);
  return [
    { label: 'Ops', value: `${formatCount(node.opsPerSecond)}/s` },
    { label: 'Clients', value: formatCount(node.connectedClients) },
    {
      label: 'Spillway overhead',
      value: formatRatio(poll.ownCpuRatio),
      hint: `Of one core of Redis; budget ${formatRatio(poll.budgetRatio)}`,
      ...(isNotable ? { state: 'warning' as const } : {}),
    },
  ];
}

export function trendInWords(bytesPerSecond: number | null): string {
  if (bytesPerSecond === null) return UNKNOWN;
  if (Math.abs(bytesPerSecond) < 1024) return 'steady';
  const arrow = bytesPerSecond > 0 ? '↑' : '↓';
  return `${arrow} ${formatBytesPerSecond(Math.abs(bytesPerSecond))}`;
}

/** "03:12 to 03:15 UTC", with how long that is. */
function fullAtFact(node: RedisNode, nowMs: number): Fact {
  const { notKnown = null } = node.forecast ?? {};
  const reach = reachOf(node);
  const about = { label: 'Full at', signal: 'redis_full_in_seconds' };
  if (!node.isFull && notKnown !== null)
    return { ...about, value: 'not known', hint: `Not known: ${notKnown}` };
  if (reach === null) return { ...about, value: fullInWords(node) };
  const at = (seconds: number): number => nowMs + seconds * 1000;
  const [earliest, latest] = reach;
  const time = Number.isFinite(latest)
    ? clockRange(at(earliest), at(latest))
    : `${clockTime(at(earliest))} or later`;
  return { ...about, value: `${time} UTC`, hint: `In ${fullInWords(node)}` };
}

/** "3 min 10 s", "not filling", "not known: the trend of the last 20 s allows anything from 5 s to 2 h" */
export function fullInWords({ isFull, forecast }: RedisNode): string {
  if (isFull) return 'full now';
  if (forecast !== null && forecast.notKnown !== null) return `not known: ${forecast.notKnown}`;
  const seconds = forecast?.fullInSeconds ?? null;
  if (seconds === null) return 'not filling';
  return seconds <= 0 ? 'at its limit' : formatDuration(seconds);
}

/** One line, whose place is kept; empty: nothing is out of the ordinary. */
function noticesOf({ poll, discovery, nodes }: Snapshot): string {
  const notices: string[] = [];
  if (poll.isSlowed) {
    const why = poll.slowedBecause ? `: ${poll.slowedBecause}` : '';
    notices.push(
      `Read every ${formatDuration(poll.intervalMs / 1000)} instead of ${formatDuration(poll.baseIntervalMs / 1000)}${why}.`,
    );
  }
  if (nodes.length > 0 && discovery.lastPassAtMs === null)
    notices.push('Still looking for queues: the list is not complete yet.');
  return notices.join(' ');
}

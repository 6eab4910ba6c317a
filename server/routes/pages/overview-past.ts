import type { RedisPast } from '../../../views/band.js';
import type { CurveBand } from '../../../views/drawn/curve.js';
import type { Point } from '../../../views/drawn/geometry.js';
import type { Pin, PinKind } from '../../../views/drawn/pin.js';
import type { ResolvedProps } from '../../../views/verdict.js';
import type { HistoryPoints } from '../../history/history-log.js';
import type { AuditRecord } from '../../model/audit-record.js';
import type { Parking } from '../../model/parking.js';
import { fullestNode } from '../../model/queue-verdict.js';
import type { Snapshot } from '../../model/snapshot.js';
import { plainSentence } from '../../model/words.js';
import { type ChartMarker, chartMarkers } from '../api/history.js';
import type { AppDeps } from '../app-deps.js';
import { Loaded } from '../live/loaded.js';
import { LASTING_ACTIONS } from './in-force.js';
import { resolvedOf } from './resolved.js';

const PAST_MS = 30 * 60_000;
const STEP_MS = 10_000;

type Deps = Pick<AppDeps, 'history' | 'timeline' | 'audit' | 'watch' | 'now'>;

/** What became of one Redis in the last half hour: its memory, when it rejected writes, and what was done. */
async function redisPast(deps: Deps, snapshot: Snapshot): Promise<RedisPast> {
  const node = fullestNode(snapshot);
  if (!node) return { held: [], limit: [], rejected: [], pins: [] };
  const { instance } = snapshot;
  const nowMs = deps.now();
  const range = { fromMs: nowMs - PAST_MS, toMs: nowMs };
  const read = (signal: string): Promise<HistoryPoints> =>
    deps.history.read({
      series: { signal, instance, node: node.address, queue: null, type: null },
      ...range,
      maxPoints: PAST_MS / STEP_MS,
    });
  const [held, limit, rejected, markers] = await Promise.all([
    read('redis_counted_bytes'),
    read('redis_limit_bytes'),
    read('redis_refused_commands_per_second'),
    chartMarkers(deps, { instance, queue: null, ...range }),
  ]);
  const kept = pointsOf(held);
  // A disk that can't be written leaves what is in memory: a quarter of an hour.
  const isKept = kept.some(({ value }) => value !== null);
  return {
    held: isKept || snapshot.nodes.length > 1 ? kept : recent(deps, instance),
    limit: pointsOf(limit),
    rejected: stretches(rejected, nowMs),
    pins: markers.flatMap(pinOf),
  };
}

function pointsOf({ atMs, max }: HistoryPoints): readonly Point[] {
  return atMs.map((at, i) => ({ atMs: at, value: max[i] ?? null }));
}

function recent({ watch }: Deps, instance: string): readonly Point[] {
  const { atMs, values } = watch.instanceSeries(instance);
  return atMs.map((at, i) => ({ atMs: at, value: values.usedBytes?.[i] ?? null }));
}

/** Stretches in which anything was rejected; the last one is open where it holds still. */
function stretches({ atMs, max, stepMs }: HistoryPoints, nowMs: number): readonly CurveBand[] {
  const bands: { fromMs: number; toMs: number | null; label: string }[] = [];
  let isOpen = false;
  for (const [i, at] of atMs.entries()) {
    const isRejecting = (max[i] ?? 0) > 0;
    const last = bands.at(-1);
    if (isRejecting && isOpen && last) last.toMs = at + stepMs;
    else if (isRejecting) bands.push({ fromMs: at, toMs: at + stepMs, label: 'writes rejected' });
    isOpen = isRejecting;
  }
  const last = bands.at(-1);
  if (last && isOpen && (last.toMs ?? nowMs) >= nowMs - stepMs) last.toMs = null;
  return bands;
}

/** Of what charts mark: what people and pipelines did, and what became of Redis. Alerts have a place of their own. */
function pinOf({ atMs, kind, text }: ChartMarker): readonly Pin[] {
  if (kind.startsWith('alert.') || kind === 'console.started') return [];
  return [{ atMs, kind: kindOf(kind), label: plainSentence(text) }];
}

function kindOf(kind: string): PinKind {
  if (kind.startsWith('action.') || kind.startsWith('policy.')) return 'action';
  if (kind === 'marker.deploy') return 'deploy';
  return kind === 'marker.note' ? 'note' : 'event';
}

/** What pages show beside the present and have to wait for: read once for all who look. */
export interface OverviewPast {
  readonly redises: ReadonlyMap<string, RedisPast>;
  /** Of actions whose effect lasts. */
  readonly lasting: readonly AuditRecord[];
  readonly parkings: readonly Parking[];
  /** The last trouble, where it is over and that is news. */
  readonly resolved: ResolvedProps | null;
}

const READ_EVERY_MS = 5_000;
/** A setting that is older is taken for how it is meant to be. */
const LASTING_MS = 7 * 24 * 3_600_000;
const MAX_RECORDS = 200;
const MAX_PARKINGS = 50;
/** A page is not held up by a store that is slow: it is drawn without, and the next rendering has it. */
const WAITS_MS = 150;

const pasts = new WeakMap<AppDeps['watch'], Loaded<OverviewPast>>();

/** As it was read last; null: not read yet. Asking for it reads it anew, beside the rendering. */
export function latestPast(deps: AppDeps): OverviewPast | null {
  return pastOf(deps).latest();
}

/** As it is now, for a page that is opened. */
export function freshPast(deps: AppDeps): Promise<OverviewPast | null> {
  return pastOf(deps).fresh(WAITS_MS);
}

function pastOf(deps: AppDeps): Loaded<OverviewPast> {
  const known = pasts.get(deps.watch);
  if (known) return known;
  const past = new Loaded({ load: () => load(deps), everyMs: READ_EVERY_MS, now: deps.now });
  pasts.set(deps.watch, past);
  return past;
}

async function load(deps: AppDeps): Promise<OverviewPast> {
  const sinceMs = deps.now() - LASTING_MS;
  const [redises, lasting, parkings, resolved] = await Promise.all([
    Promise.all(
      deps.watch
        .snapshots()
        .map(async (snapshot) => [snapshot.instance, await redisPast(deps, snapshot)] as const),
    ),
    Promise.all(LASTING_ACTIONS.map((action) => deps.audit.list({ action, sinceMs, limit: MAX_RECORDS }))),
    deps.parkings.list({ isHeld: true, limit: MAX_PARKINGS }),
    resolvedOf(deps),
  ]);
  return { redises: new Map(redises), lasting: lasting.flat(), parkings, resolved };
}

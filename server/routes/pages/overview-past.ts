import type { RedisPast } from '../../../views/band.js';
import type { ResolvedProps } from '../../../views/verdict.js';
import type { AuditRecord } from '../../model/audit-record.js';
import type { Parking } from '../../model/parking.js';
import type { AppDeps } from '../app-deps.js';
import { Loaded } from '../live/loaded.js';
import { LASTING_ACTIONS } from './in-force.js';
import { redisPast } from './redis-past.js';
import { resolvedOf } from './resolved.js';

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

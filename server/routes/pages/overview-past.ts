import type { RedisPast } from '../../../views/band.js';
import type { AppDeps } from '../app-deps.js';
import { Loaded } from '../live/loaded.js';
import { redisPast } from './redis-past.js';

/** What pages show beside the present and have to wait for: read once for all who look. */
export interface Past {
  readonly redises: ReadonlyMap<string, RedisPast>;
}

const READ_EVERY_MS = 5_000;
/** A page is not held up by a store that is slow: it is drawn without, and the next rendering has it. */
const WAITS_MS = 150;

const pasts = new WeakMap<AppDeps['watch'], Loaded<Past>>();

/** As it was read last; null: not read yet. Asking for it reads it anew, beside the rendering. */
export function latestPast(deps: AppDeps): Past | null {
  return pastOf(deps).latest();
}

/** As it is now, for a page that is opened. */
export function freshPast(deps: AppDeps): Promise<Past | null> {
  return pastOf(deps).fresh(WAITS_MS);
}

function pastOf(deps: AppDeps): Loaded<Past> {
  const known = pasts.get(deps.watch);
  if (known) return known;
  const past = new Loaded({ load: () => load(deps), everyMs: READ_EVERY_MS, now: deps.now });
  pasts.set(deps.watch, past);
  return past;
}

async function load(deps: AppDeps): Promise<Past> {
  const redises = await Promise.all(
    deps.watch
      .snapshots()
      .map(async (snapshot) => [snapshot.instance, await redisPast(deps, snapshot)] as const),
  );
  return { redises: new Map(redises) };
}

import type { DiscoveryState } from '../model/snapshot.js';
import type { Discovery } from '../redis/discover.js';

/** How far the walks over all keys have come: as far as the one that is furthest behind. */
export function discoveryStateOf(walks: readonly Discovery[]): DiscoveryState {
  const passes = walks.map((walk) => walk.lastPassAtMs);
  return {
    lastPassAtMs:
      passes.length === 0 || passes.includes(null) ? null : Math.min(...passes.flatMap((at) => at ?? [])),
    passDurationMs: walks.length === 0 ? null : Math.max(...walks.map((walk) => walk.passDurationMs ?? 0)),
    keys: walks.reduce((total, walk) => total + walk.keys, 0),
  };
}

import type { Stretch } from './flow.js';
import type { Mix } from './mix.js';

/** What changes Redis's memory while a backlog drains. */
export interface MemoryFlow {
  readonly stretches: readonly Stretch[];
  readonly arrivalsPerSecond: number;
  /** Of what waits now, and of what comes; null: nothing. */
  readonly old: Mix | null;
  readonly fresh: Mix | null;
  readonly otherGrowthBytesPerSecond: number;
}

/** Bytes by which memory has changed after so many seconds: this queue's part, and that of others. */
export function changeAt(
  flow: MemoryFlow,
  atSeconds: number,
): { readonly ownBytes: number; readonly otherBytes: number } {
  let ownBytes = 0;
  for (const stretch of flow.stretches) {
    const lasted = Math.min(atSeconds, stretch.toSeconds) - stretch.fromSeconds;
    if (!(lasted > 0)) break;
    ownBytes += ownGrowth(flow, stretch) * lasted;
  }
  return { ownBytes, otherBytes: flow.otherGrowthBytesPerSecond * atSeconds };
}

/** Seconds until memory has grown by so much; 0 where that is nothing, null: never. */
export function secondsUntilGrown(flow: MemoryFlow, roomBytes: number): number | null {
  let left = roomBytes;
  if (left <= 0) return 0;
  for (const stretch of flow.stretches) {
    const growth = ownGrowth(flow, stretch) + flow.otherGrowthBytesPerSecond;
    const lasts = stretch.toSeconds - stretch.fromSeconds;
    if (growth > 0 && left / growth <= lasts) {
      const seconds = stretch.fromSeconds + left / growth;
      return Number.isFinite(seconds) ? seconds : null;
    }
    if (!Number.isFinite(lasts)) return null;
    left -= growth * lasts;
  }
  return null;
}

/** Arrivals bring their bytes; departures take theirs, but for what is kept of a job that is done. */
function ownGrowth(flow: MemoryFlow, stretch: Stretch): number {
  return (
    flow.arrivalsPerSecond * (flow.fresh?.bytesPerJob ?? 0) -
    stretch.oldPerSecond * freedBytes(flow.old) -
    stretch.newPerSecond * freedBytes(flow.fresh)
  );
}

/** Bytes that a departure gives back; below 0 where what is kept is more than what waited. */
export function freedBytes(mix: Mix | null): number {
  return mix ? mix.bytesPerJob - mix.keepsBytesPerJob : 0;
}

import type { Actor } from '../model/role.js';
import type { Snapshot } from '../model/snapshot.js';
import { LoadSampler } from './load-sample.js';
import { NO_COUNTS } from './replay-account.js';
import type { ReplayRecord } from './replay-record.js';
import type { ReplayRequest } from './replay-request.js';

/** A replay as it begins: what ends after `nowMs` does not belong to it, and things stand as in `snapshot`. */
export function newRecord(
  id: string,
  actor: Actor,
  { spec, instance }: ReplayRequest,
  queues: readonly string[],
  snapshot: Snapshot,
  nowMs: number,
): ReplayRecord {
  return {
    id,
    instance,
    spec,
    queues,
    actor: actor.name,
    createdAtMs: nowMs,
    cutoffMs: nowMs,
    endedAtMs: null,
    state: 'running',
    pausedBy: null,
    ratePerSecond: spec.ratePerSecond,
    reason: 'Begun.',
    counts: NO_COUNTS,
    cursors: {},
    isSwept: false,
    needsResweep: false,
    lastSeq: 0,
    baseline: new LoadSampler().baseline(snapshot, queues),
    canaryFrom: { moved: 0, succeeded: 0, failedAgain: 0, gone: 0 },
  };
}

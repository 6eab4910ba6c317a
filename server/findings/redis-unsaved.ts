import { fact } from '../model/evidence.js';
import type { FindingRule, FoundNow } from '../model/finding.js';
import type { RedisNode, Snapshot } from '../model/snapshot.js';
import { nodeName, plainName } from '../model/words.js';

/** Idle workers ask every 5 to 10 s: who is refused only then is refused all the time. */
const LATELY_MS = 30_000;

export const redisUnsaved: FindingRule = {
  code: 'redis.unsaved',
  about:
    'Redis can not save its data to disk and is set to refuse all writes then (MISCONF): producers fail and workers take no jobs.',
  detect: (snapshot, nowMs) => snapshot.nodes.flatMap((node) => unsaved(node, snapshot, nowMs) ?? []),
};

function unsaved(node: RedisNode, snapshot: Snapshot, nowMs: number): FoundNow | null {
  if (node.unsaved === null) return null;
  const { what, refusedAtMs } = node.unsaved;
  const isRefusing = refusedAtMs !== null && nowMs - refusedAtMs < LATELY_MS;
  const failed = what === 'snapshot' ? 'its last snapshot failed' : 'its append-only file can not be written';
  const effect = isRefusing
    ? 'refuses all writes (MISCONF): producers can’t add jobs, workers take and finish none, and actions that write do not work'
    : 'refuses all writes from now on (MISCONF); nobody has tried lately, and the next who adds or takes a job fails';
  const goOn =
    what === 'snapshot'
      ? ' Where the data may be lost with its process, `CONFIG SET stop-writes-on-bgsave-error no` lets writes in at once.'
      : '';
  return {
    severity: isRefusing ? 'critical' : 'warning',
    queue: null,
    node: node.id,
    title: isRefusing ? 'Redis refuses writes: it can’t save' : 'Redis can’t save to disk',
    sentence: `${nodeName(node, snapshot)} at ${plainName(node.address)} can’t write its data to disk (${failed}) and ${effect}. Its log says why: mostly a full disk, a directory that it may not write to, or too little memory to fork; ${what === 'snapshot' ? 'then `BGSAVE`: it ends with the first that works' : 'it ends with the first write to the file that works'}.${goOn}`,
    evidence: [fact('not-saved', 'not saved', what)],
    remedies: [],
    rank: 940,
  };
}

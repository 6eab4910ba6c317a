import type { CurrentFinding, Remedy } from '../model/finding.js';
import { ALL_PERMITTED, mayDo, switchedOff } from '../model/permits.js';
import type { CapabilityName } from '../model/sight.js';
import type { Snapshot } from '../model/snapshot.js';

/** What an action needs to be permitted, and what to say where it is not. */
const NEEDS: readonly {
  readonly actions: string;
  readonly capabilities: readonly CapabilityName[];
  readonly otherwise: string;
}[] = [
  {
    actions: 'redis.',
    capabilities: ['canSetConfig'],
    otherwise: 'Raise maxmemory where Redis is managed: this console may not run CONFIG SET.',
  },
  {
    actions: 'worker',
    capabilities: ['canWrite', 'canRunScripts'],
    otherwise: "Let the console's Redis user write: without that it can't act.",
  },
  {
    actions: 'queue.',
    capabilities: ['canWrite', 'canRunScripts'],
    otherwise: "Let the console's Redis user write: without that it can't act.",
  },
];

/** These change what the console remembers, and nothing in Redis. */
const OWN_MEMORY: ReadonlySet<string> = new Set(['worker.dismiss', 'redis.dismiss-loss']);

/**
 * Takes away remedies that this Redis would refuse to the console, and says what is left: a button that can't work at
 * 3 a.m. is worse than none. Unknown capabilities (not connected yet) take nothing away; the action itself checks again.
 */
export function withinReach(
  finding: CurrentFinding,
  snapshot: Snapshot,
  parkingBytes = Number.POSITIVE_INFINITY,
): CurrentFinding {
  if (finding.remedies.length === 0 && !finding.next) return finding;
  const notes = new Set<string>();
  // Jobs that the disk has no room for stay in Redis: then nothing is freed, or not what was promised.
  const hasDisk = ({ action, predictedFreedBytes = 0 }: Remedy): boolean =>
    action !== 'queue.park' || predictedFreedBytes <= parkingBytes;
  const isWithinReach = (remedy: Remedy): boolean => {
    const obstacle = obstacleTo(remedy, snapshot);
    if (obstacle) notes.add(obstacle);
    return obstacle === null;
  };
  const remedies = finding.remedies.filter(hasDisk).filter(isWithinReach);
  const next = finding.next && isWithinReach(finding.next) ? finding.next : undefined;
  if (notes.size === 0)
    return remedies.length === finding.remedies.length && next === finding.next
      ? finding
      : { ...finding, remedies, next };
  const [first = '', ...others] = notes;
  // With nothing left to press, what would bring it back is what to do first.
  const isBare = remedies.length === 0;
  const detail = [finding.detail ?? [], isBare ? [finding.action, ...others] : [...notes]].flat().join(' ');
  return { ...finding, remedies, next, detail, ...(isBare ? { action: first } : {}) };
}

/** Does this Redis permit it to the console, as far as is known, and the console to whoever asks? */
export function canReach(remedy: Remedy, snapshot: Snapshot): boolean {
  return obstacleTo(remedy, snapshot) === null;
}

/** Empty: it is nothing to speak of. null: there is none. */
function obstacleTo(remedy: Remedy, snapshot: Snapshot): string | null {
  const { permits = ALL_PERMITTED } = snapshot;
  // Said at the top of each page.
  if (permits.isReadOnly) return '';
  if (switchedOff(permits, remedy.action) !== null)
    return `Switched off here: ${remedy.label} (${remedy.action}).`;
  if (!isTheirs(remedy, snapshot)) return '';
  if (OWN_MEMORY.has(remedy.action)) return null;
  if (snapshot.nodes.length > 0 && snapshot.nodes.every((node) => node.isReadOnly)) {
    return 'Connect the console to the master: a read-only replica takes no actions.';
  }
  const { capabilities } = snapshot;
  if (!capabilities) return null;
  for (const need of NEEDS) {
    if (!remedy.action.startsWith(need.actions)) continue;
    if (need.capabilities.some((name) => !capabilities[name])) return need.otherwise;
  }
  return null;
}

/** What is bound to queues takes an operator of each; what is not, an operator or admin of the whole Redis. */
function isTheirs({ action, queues, workers = [] }: Remedy, snapshot: Snapshot): boolean {
  const { permits = ALL_PERMITTED, instance } = snapshot;
  const ofWorkers = workers.map((id) => snapshot.workers.find((worker) => worker.id === id)?.queueId ?? null);
  const targets = [...queues, ...ofWorkers];
  if (targets.length > 0) return targets.every((queue) => mayDo(permits, 'operator', instance, queue));
  return mayDo(permits, action === 'redis.raise-maxmemory' ? 'admin' : 'operator', instance, null);
}

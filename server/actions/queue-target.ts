import { thatSuffice } from '../findings/enough.js';
import { raiseMaxmemoryRemedy, reclaimRemedies } from '../findings/make-room.js';
import { canReach } from '../findings/within-reach.js';
import type { ActionWarning, Field } from '../model/action.js';
import { ActionError } from '../model/action.js';
import type { Remedy } from '../model/finding.js';
import type { QueueState, Snapshot } from '../model/snapshot.js';
import type { QueueControl, QueueHandle } from '../redis/queue-control.js';
import { type ActionContext, changed, warning } from './action.js';

/** The queue an action of scope queue or job acts on. @throws ActionError when none was given. */
export function targetQueue(context: Pick<ActionContext, 'target'>): QueueState {
  if (context.target.queue) return context.target.queue;
  throw new ActionError(
    'invalid',
    'queues: this action acts on a queue, and none was named; give a queue id such as bull:mail',
  );
}

export function handleOf(context: ActionContext): QueueHandle {
  return {
    client: context.link.client,
    canFlagScripts: context.snapshot.capabilities?.canFlagScripts ?? false,
    id: targetQueue(context).id,
  };
}

/** Why queue actions can't be used on this Redis; null where they can. */
export function whyNoWrites(snapshot: Snapshot): string | null {
  const node = snapshot.nodes[0];
  if (node?.isReadOnly) return 'this Redis is a read-only replica: point the console at its master';
  const capabilities = snapshot.capabilities;
  if (!capabilities) return null;
  if (!capabilities.canWrite) {
    return `Redis does not let this user write (${capabilities.refusals.canWrite ?? 'ACL'}): change the setting from the application`;
  }
  if (!capabilities.canRunScripts) {
    return `Redis does not let this user run scripts (${capabilities.refusals.canRunScripts ?? 'ACL'}): allow +eval +evalsha`;
  }
  return null;
}

/** The number in words, as fields show it. */
export function limitInWords(value: number | null): string {
  return value === null ? 'none' : String(value);
}

export function rateInWords(limit: { readonly max: number; readonly durationMs: number } | null): string {
  return limit === null ? 'none' : `${limit.max} per ${limit.durationMs} ms`;
}

/** "running", "paused by Spillway", "paused by the application". */
export function pausesInWords(control: QueueControl): string {
  const words: string[] = [];
  if (control.isPausedByApplication) words.push('paused by the application');
  if (control.pauseRecord !== null && control.concurrency === 0) words.push('paused by Spillway');
  return words.length > 0 ? words.join(', ') : 'running';
}

/** What to do first while Redis is full: make room, with what suffices at the top. Only what this Redis permits. */
export function makeRoomFirst(snapshot: Snapshot): readonly Remedy[] {
  const node = snapshot.nodes.find(({ isFull }) => isFull);
  if (!node) return [];
  const raise = raiseMaxmemoryRemedy(node);
  const remedies = [...reclaimRemedies(snapshot.queues), ...(raise ? [raise] : [])];
  const permitted = remedies.filter((remedy) => canReach(remedy, snapshot));
  return thatSuffice(permitted, node, snapshot, snapshot.atMs);
}

/** Releases that brought a setting (their change logs); workers of older ones ignore it. */
const SINCE = {
  'global concurrency': { bullmq: [5, 9], 'bullmq-pro': [7, 12] },
  'a global rate limit': { bullmq: [5, 60], 'bullmq-pro': [7, 40] },
} as const;

/**
 * Says so where workers may be too old for a setting. The version in meta is that of the last Queue object that wrote
 * it, so a hint only; what workers really do is measured afterwards.
 */
export function oldVersionWarning(
  version: string | null,
  setting: keyof typeof SINCE,
): readonly ActionWarning[] {
  const match = /^(bullmq|bullmq-pro):(\d+)\.(\d+)/.exec(version ?? '');
  if (!match) {
    return [
      warning(
        `Which BullMQ the workers run is not known here; before ${SINCE[setting].bullmq.join('.')} they ignore ${setting}. The seconds after the change are measured.`,
      ),
    ];
  }
  const [sinceMajor, sinceMinor] = SINCE[setting][match[1] === 'bullmq-pro' ? 'bullmq-pro' : 'bullmq'];
  const [major, minor] = [Number(match[2]), Number(match[3])];
  if (major > sinceMajor || (major === sinceMajor && minor >= sinceMinor)) return [];
  return [
    warning(
      `The queue was last opened by ${version}, and workers before ${sinceMajor}.${sinceMinor} ignore ${setting}. The seconds after the change are measured.`,
    ),
  ];
}

/** Whether a queue runs and how much of it at once: as it was, and as it is now. */
export function controlFields(before: QueueControl, after: QueueControl): readonly Field[] {
  return [
    changed('queue', pausesInWords(before), pausesInWords(after)),
    changed('global concurrency', limitInWords(before.concurrency), limitInWords(after.concurrency)),
  ];
}

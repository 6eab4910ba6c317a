import type { QueueControl, QueueHandle } from '../redis/queue-control.js';
import type { QueueState, Snapshot } from '../watch/snapshot.js';
import { type LeverContext, LeverError, type LeverWarning } from './lever.js';

/** The queue a lever of scope queue or job acts on. @throws LeverError when none was given. */
export function queueOf(context: Pick<LeverContext, 'target'>): QueueState {
  if (context.target.queue) return context.target.queue;
  throw new LeverError(
    'invalid',
    'queues: this lever acts on a queue, and none was named; give a queue id such as bull:mail',
  );
}

export function handleOf(context: LeverContext): QueueHandle {
  return {
    client: context.link.client,
    canFlagScripts: context.snapshot.capabilities?.canFlagScripts ?? false,
    id: queueOf(context).id,
  };
}

/** Why queue levers can't be used on this Redis; null where they can. */
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

export function isFull(snapshot: Snapshot): boolean {
  return snapshot.nodes.some((node) => node.isFull);
}

/** The number in words, as fields show it. */
export function limitInWords(value: number | null): string {
  return value === null ? 'none' : String(value);
}

export function rateInWords(limit: { readonly max: number; readonly durationMs: number } | null): string {
  return limit === null ? 'none' : `${limit.max} per ${limit.durationMs} ms`;
}

/** "running", "halted by the console", "paused by the application". */
export function flowInWords(control: QueueControl): string {
  const words: string[] = [];
  if (control.isPausedByApplication) words.push('paused by the application');
  if (control.haltRecord !== null && control.concurrency === 0) words.push('halted by the console');
  return words.length > 0 ? words.join(', ') : 'running';
}

/** BullMQ honours global concurrency from 5.10 on; the version in meta is that of the last writer, so a hint only. */
export function oldVersionWarning(version: string | null): readonly LeverWarning[] {
  const match = /^bullmq:(\d+)\.(\d+)/.exec(version ?? '');
  if (!match) return [];
  const [major, minor] = [Number(match[1]), Number(match[2])];
  if (major > 5 || (major === 5 && minor >= 10)) return [];
  return [
    {
      text: `The queue was last opened by ${version}, and BullMQ before 5.10 ignores global concurrency: watch whether jobs still start.`,
      instead: [],
    },
  ];
}

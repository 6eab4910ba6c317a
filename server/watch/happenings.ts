import type { LinkStatus } from '../model/link-status.js';
import type { DataLoss, LinkState } from '../model/snapshot.js';
import type { ChannelState } from '../redis/agent-channel.js';
import type { FleetEvent } from './fleet.js';

const ABOUT_NOBODY = { queue: null, worker: null } as const;

/** A master answers that is another process than before, or has another role. */
export function anotherProcess(topology: LinkState['topology'], address: string): FleetEvent {
  return topology === 'single'
    ? {
        kind: 'redis.restarted',
        ...ABOUT_NOBODY,
        text: `Redis at ${address} has restarted or changed its role.`,
      }
    : {
        kind: 'redis.failover',
        ...ABOUT_NOBODY,
        text: `The master behind ${address} is another process now, or has another role: a failover.`,
      };
}

/** The console's subscriber have changed; null where that is nothing to tell. */
export function hearingChanged(state: ChannelState, before: ChannelState): FleetEvent | null {
  if (state.status === 'deaf')
    return {
      kind: 'console.deaf',
      ...ABOUT_NOBODY,
      text: `The console does not hear agents: ${state.problem ?? 'no reason known'}.`,
    };
  if (state.status !== 'hearing' || before.status !== 'deaf') return null;
  const seconds = Math.max(1, Math.round((state.sinceMs - before.sinceMs) / 1000));
  return {
    kind: 'console.hears',
    ...ABOUT_NOBODY,
    text: `The console hears agents again, after ${seconds} s.`,
  };
}

/** Jobs are gone. */
export function dataLost({ text }: DataLoss): FleetEvent {
  return { kind: 'redis.data-lost', ...ABOUT_NOBODY, text: `${text}.` };
}

export function redisBack(address: string): FleetEvent {
  return { kind: 'redis.back', ...ABOUT_NOBODY, text: `Redis at ${address} answers again.` };
}

export function redisUnreachable(problem: string): FleetEvent {
  return { kind: 'redis.unreachable', ...ABOUT_NOBODY, text: `${problem}.` };
}

/** What to say where a Redis gives no reason for its silence. */
export function silenceInWords(status: LinkStatus, address: string): string {
  return status === 'connecting'
    ? `connecting to Redis at ${address}`
    : `Redis at ${address} does not answer`;
}

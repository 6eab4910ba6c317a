import { z } from 'zod';
import { type ModelOf, TimeSchema } from './json.js';

/** What the console knows of its own state at one moment. */
export interface HealthFacts {
  readonly nowMs: number;
  /** Instances whose numbers are not live, and since when the last good read was; null: there was none. */
  readonly blindInstances: readonly { readonly instance: string; readonly lastReadAtMs: number | null }[];
  readonly startedAtMs: number;
  /** Why nothing is kept on disk; null while it is. */
  readonly storeProblem: string | null;
  /** When a write to the store last succeeded; null: never. */
  readonly wroteAtMs: number | null;
  readonly writeError: string | null;
  readonly channels: readonly ChannelHealth[];
  /** Since when a message is due and not sent; null: none is. */
  readonly dueSinceMs: number | null;
}

export type HealthCode =
  | 'polling'
  | 'store'
  | 'history'
  | 'channel'
  | 'outbox'
  /** A part has thrown. */
  | 'fault'
  /** Automation that fails. */
  | 'policy'
  | 'parking'
  | 'replays'
  | 'commands'
  | 'moving';

/** One thing that is wrong with the console itself. */
export interface HealthProblem {
  readonly code: HealthCode;
  /** The instance or the channel that it is about; '' for the console. */
  readonly subject: string;
  /** One sentence; holds no secret. */
  readonly text: string;
  /** How often, where that is counted. */
  readonly count?: number;
  /** Users are hurt now. */
  readonly isUrgent?: boolean;
}

/** Before the first read, and between reads, a console is given this long. */
const BLIND_AFTER_MS = 15_000;
const UNWRITTEN_AFTER_MS = 30_000;
/** One failure is the network; three in a row, over six seconds at least, are a channel that does not work. */
const FAILURES_IN_ROW = 3;
/** Longer than a channel that hangs takes for one message. */
const DUE_AFTER_MS = 90_000;

/** Everything that is wrong with the console itself; empty: all is well. */
export function judgeHealth(facts: HealthFacts): readonly HealthProblem[] {
  return [...blind(facts), ...unwritten(facts), ...failing(facts), ...undelivered(facts)];
}

function blind({ blindInstances, startedAtMs, nowMs }: HealthFacts): readonly HealthProblem[] {
  return blindInstances.flatMap(({ instance, lastReadAtMs }) => {
    const ageMs = nowMs - (lastReadAtMs ?? startedAtMs);
    if (ageMs < BLIND_AFTER_MS) return [];
    const words = `the console has not read Redis ${instance} for ${Math.round(ageMs / 1000)} s`;
    return [{ code: 'polling', subject: instance, text: words } as const];
  });
}

function unwritten(facts: HealthFacts): readonly HealthProblem[] {
  const { storeProblem, wroteAtMs, writeError, startedAtMs, nowMs } = facts;
  if (storeProblem !== null) return [{ code: 'store', subject: '', text: storeProblem }];
  const ageMs = nowMs - (wroteAtMs ?? startedAtMs);
  if (ageMs < UNWRITTEN_AFTER_MS) return [];
  const why = writeError === null ? '' : ` (${writeError})`;
  const text = `the store could not be written for ${Math.round(ageMs / 1000)} s${why}`;
  return [{ code: 'store', subject: '', text }];
}

function failing({ channels }: HealthFacts): readonly HealthProblem[] {
  return channels
    .filter(({ failuresInRow }) => failuresInRow >= FAILURES_IN_ROW)
    .map(({ channel, failuresInRow, lastError }) => ({
      code: 'channel' as const,
      subject: channel,
      text: `channel ${channel} has failed ${failuresInRow} times in a row: ${lastError ?? 'no reason is known'}`,
    }));
}

function undelivered({ dueSinceMs, nowMs }: HealthFacts): readonly HealthProblem[] {
  if (dueSinceMs === null || nowMs - dueSinceMs < DUE_AFTER_MS) return [];
  const seconds = Math.round((nowMs - dueSinceMs) / 1000);
  return [
    { code: 'outbox', subject: '', text: `a message has been due for ${seconds} s and nobody sends it` },
  ];
}

/** How a channel has been doing, seen by all consoles of a store. */
/** How a channel has been doing. */
export const HealthOfChannel = z.object({
  lastSuccessAt: TimeSchema.nullable(),
  lastFailureAt: TimeSchema.nullable(),
  lastError: z.string().nullable(),
  failuresInRow: z.number(),
});
export interface ChannelHealth extends ModelOf<typeof HealthOfChannel> {
  readonly channel: string;
}

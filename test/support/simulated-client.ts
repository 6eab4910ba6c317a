import type { SeededRandom } from './seeded-random.js';

/** What the jobs of a simulated world spend their time on. */
export type ClientKind =
  /** Sends when `size` requests are gathered or `waitMs` after the first of them. */
  | {
      readonly kind: 'batching';
      readonly size: number;
      readonly waitMs: number;
      /** Until the far side has answered a batch, as a median; 0 for none. */
      readonly flushMs: number;
      /** What a job does before it sends and after it was sent, mean of each. */
      readonly jitterMs: number;
    }
  | { readonly kind: 'logNormal'; readonly medianMs: number; readonly sigma: number }
  | { readonly kind: 'fixed'; readonly ms: number; readonly jitterRatio: number }
  | {
      readonly kind: 'bimodal';
      readonly quickMs: number;
      readonly slowMs: number;
      readonly slowRatio: number;
    }
  /** As log-normal, but given up after `ms`, by a failure or (`isQuiet`) by a job that completes all the same. */
  | {
      readonly kind: 'timeouts';
      readonly ms: number;
      readonly ratio: number;
      readonly medianMs: number;
      readonly isQuiet: boolean;
    }
  /** So long for each KB of payload. */
  | { readonly kind: 'payload'; readonly perKbMs: number; readonly jitterRatio: number }
  /** `ratio` of the jobs do `one`, the others `other`. */
  | { readonly kind: 'mixed'; readonly ratio: number; readonly one: ClientKind; readonly other: ClientKind };

/** A job that runs in a process. */
export interface SimulatedJob {
  readonly process: number;
  readonly payloadBytes: number;
  readonly end: (atMs: number, failed: boolean) => void;
}

type Schedule = (atMs: number, what: () => void) => void;

/** Runs a job from `atMs` on and calls its `end` once, now, for the time at which it will end. */
type RunJob = (job: SimulatedJob, atMs: number) => void;

/** What a batch's members cost the event loop one after the other: 200 real ones are stamped within 1 to 3 ms. */
const RESOLVE_MS = 0.015;

export function simulateClient(client: ClientKind, random: SeededRandom, schedule: Schedule): RunJob {
  switch (client.kind) {
    case 'batching':
      return batching(client, random, schedule);
    case 'logNormal':
      return (job, atMs) => job.end(atMs + random.logNormal(client.medianMs, client.sigma), false);
    case 'fixed':
      return (job, atMs) =>
        job.end(
          atMs + client.ms * Math.max(0.1, 1 + client.jitterRatio * random.normal()) + random.uniform(),
          false,
        );
    case 'bimodal':
      return (job, atMs) => {
        const median = random.uniform() < client.slowRatio ? client.slowMs : client.quickMs;
        job.end(atMs + random.logNormal(median, 0.1), false);
      };
    case 'timeouts':
      return (job, atMs) => {
        const ms =
          random.uniform() < client.ratio ? Number.POSITIVE_INFINITY : random.logNormal(client.medianMs, 0.6);
        const isGivenUp = ms > client.ms;
        // The timer, and an event loop that comes to it a little later.
        job.end(atMs + (isGivenUp ? client.ms + random.exponential(1.5) : ms), isGivenUp && !client.isQuiet);
      };
    case 'payload':
      return (job, atMs) => {
        const ms = (client.perKbMs * job.payloadBytes) / 1024;
        job.end(atMs + ms * Math.max(0.1, 1 + client.jitterRatio * random.normal()), false);
      };
    case 'mixed': {
      const one = simulateClient(client.one, random, schedule);
      const other = simulateClient(client.other, random, schedule);
      return (job, atMs) => (random.uniform() < client.ratio ? one : other)(job, atMs);
    }
  }
}

interface OpenBatch {
  readonly jobs: SimulatedJob[];
  isSent: boolean;
}

function batching(
  { size, waitMs, flushMs, jitterMs }: Extract<ClientKind, { kind: 'batching' }>,
  random: SeededRandom,
  schedule: Schedule,
): RunJob {
  const open = new Map<number, OpenBatch>();
  const send = (process: number, batch: OpenBatch, atMs: number): void => {
    if (batch.isSent) return;
    batch.isSent = true;
    open.delete(process);
    const answeredAtMs = atMs + (flushMs > 0 ? random.logNormal(flushMs, 0.35) : 0);
    batch.jobs.forEach((job, i) => {
      job.end(answeredAtMs + i * RESOLVE_MS + random.exponential(jitterMs), false);
    });
  };
  return (job, atMs) => {
    const joinsAtMs = atMs + random.exponential(jitterMs);
    schedule(joinsAtMs, () => {
      let batch = open.get(job.process);
      if (!batch) {
        const opened: OpenBatch = { jobs: [], isSent: false };
        batch = opened;
        open.set(job.process, opened);
        const dueAtMs = joinsAtMs + waitMs + random.exponential(0.7);
        schedule(dueAtMs, () => send(job.process, opened, dueAtMs));
      }
      batch.jobs.push(job);
      if (batch.jobs.length >= size) send(job.process, batch, joinsAtMs);
    });
  };
}

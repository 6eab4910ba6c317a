import { z } from '@hono/zod-openapi';
import { isoTime } from '../../model/json.js';
import type { ParkEstimate } from '../../replay/parking/estimate.js';
import type { ParkedType } from '../../replay/parking/parked-jobs.js';
import { PARKABLE_STATES, type Parking } from '../../replay/parking/parking.js';

const counts = z.record(z.string(), z.number());
const types = z.array(z.object({ type: z.string(), jobs: z.number(), bytes: z.number() }));

export const DiskSchema = z.object({
  usedBytes: z.number(),
  maxBytes: z.number(),
  freeBytes: z.number(),
  diskBytes: z.number(),
});

export const EstimateSchema = z.object({
  total: z.number().openapi({ description: 'Jobs in the lists of these states' }),
  looked: z.number(),
  isExact: z.boolean().openapi({ description: 'false: worked out from those that were looked at' }),
  jobs: z.number(),
  freedBytes: z.number(),
  types,
  skipped: counts.openapi({ description: 'What would stay in Redis, by reason' }),
});

export const ParkingSchema = z
  .object({
    id: z.string(),
    instance: z.string(),
    queue: z.string(),
    states: z.array(z.enum(PARKABLE_STATES)),
    jobTypes: z.array(z.string()).nullable(),
    most: z.number().nullable(),
    reason: z.string(),
    actor: z.string(),
    origin: z.enum(['person', 'policy', 'import']),
    startedAt: z.string(),
    endedAt: z.string().nullable(),
    phase: z.enum(['park', 'restore']),
    state: z.enum(['running', 'paused', 'aborted', 'done']),
    because: z.string().nullable().openapi({ description: 'Why it rests, waits or ended early' }),
    ratePerSecond: z.number().nullable().openapi({ description: 'null: as fast as it goes' }),
    guard: z.boolean(),
    pausedBy: z.enum(['person', 'policy', 'guard']).nullable(),
    pacePerSecond: z.number().nullable().openapi({
      description: 'What comes back at most now; 0 while it rests; null: it does not, or unbounded',
    }),
    paceReason: z.string().nullable(),
    looked: z.number(),
    parked: z.number().openapi({ description: '= restored + existed + fellBack + remaining' }),
    freedBytes: z.number(),
    skipped: counts,
    restored: z.number(),
    existed: z.number().openapi({ description: 'Not brought back: the id was in Redis again' }),
    fellBack: z
      .number()
      .openapi({ description: 'Not brought back: Redis had lost that they were taken out' }),
    remaining: z.number().openapi({ description: 'On disk and nowhere else' }),
    types: types.nullable().openapi({ description: 'What remains, by type; null in lists' }),
  })
  .openapi('Parking');

export function presentParking(parking: Parking, remaining: readonly ParkedType[] | null) {
  const { startedAtMs, endedAtMs, states, jobTypes, skipped, ...rest } = parking;
  return {
    ...rest,
    states: [...states],
    jobTypes: jobTypes === null ? null : [...jobTypes],
    startedAt: isoTime(startedAtMs),
    endedAt: endedAtMs === null ? null : isoTime(endedAtMs),
    skipped: skipped as Record<string, number>,
    types: remaining === null ? null : [...remaining],
  };
}

export function presentEstimate(estimate: ParkEstimate) {
  return {
    ...estimate,
    types: [...estimate.types],
    skipped: estimate.skipped as Record<string, number>,
  };
}

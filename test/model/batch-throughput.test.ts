import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type BatchThroughputInput,
  batchThroughputPerSecond,
  runMsAt,
} from '../../server/model/batch-throughput.js';
import { type SimulatedWorld, simulateWorld } from '../support/simulate-clients.js';

const incident: BatchThroughputInput = {
  slotsPerProcess: 5,
  processes: 4,
  wallMs: 10_060,
  batchSize: 20,
  serviceMs: 62,
  arrivalsPerSecond: null,
};

/** Jobs per second and mean run time of the same in a simulated world. */
function simulated(input: BatchThroughputInput): { readonly perSecond: number; readonly runMs: number } {
  const windowMs = 3 * input.wallMs;
  const world: SimulatedWorld = {
    seed: 7,
    processes: input.processes,
    slotsPerProcess: input.slotsPerProcess,
    client: { kind: 'batching', size: input.batchSize ?? 1, waitMs: 10_000, flushMs: 60, jitterMs: 1 },
    arrivals:
      input.arrivalsPerSecond === null
        ? { kind: 'backlog' }
        : { kind: 'steady', perSecond: input.arrivalsPerSecond },
    startsWithinMs: 0,
    fetchMs: 0,
    windowMs,
    warmUpMs: windowMs,
  };
  const { runs } = simulateWorld(world);
  const ends = runs.map((run) => run.endedAtMs);
  // The newest of many are kept: the time that they took, not the window.
  const overMs = runs.length < 2_000 ? windowMs : Math.max(...ends) - Math.min(...ends);
  const total = runs.reduce((sum, run) => sum + run.endedAtMs - run.startedAtMs, 0);
  return { perSecond: (runs.length * 1000) / overMs, runMs: total / runs.length };
}

describe('what more concurrency does for jobs that wait for a batch', () => {
  it.each([3, 5, 10, 19, 20, 40])('is foretold with a backlog: %i slots', (slotsPerProcess) => {
    const input = { ...incident, slotsPerProcess };
    const seen = simulated(input);
    expect(batchThroughputPerSecond(input) / seen.perSecond).toBeGreaterThan(0.8);
    expect(batchThroughputPerSecond(input) / seen.perSecond).toBeLessThan(1.25);
    expect(runMsAt(input) / seen.runMs).toBeGreaterThan(0.8);
    expect(runMsAt(input) / seen.runMs).toBeLessThan(1.25);
  });

  it.each([
    [40, 1],
    [40, 4],
    [40, 20],
    [40, 80],
    [5, 40],
  ])(
    'is foretold where jobs come one by one: %i slots, %i a second',
    (slotsPerProcess, arrivalsPerSecond) => {
      const input = { ...incident, slotsPerProcess, arrivalsPerSecond };
      expect(runMsAt(input) / simulated(input).runMs).toBeGreaterThan(0.75);
      expect(runMsAt(input) / simulated(input).runMs).toBeLessThan(1.33);
    },
  );

  it('is a jump at the batch size: 19 slots of 20 do 7.6 jobs a second, 20 do over a thousand', () => {
    expect(batchThroughputPerSecond({ ...incident, slotsPerProcess: 19 })).toBeCloseTo(7.55, 1);
    expect(batchThroughputPerSecond({ ...incident, slotsPerProcess: 20 })).toBeGreaterThan(1_000);
  });

  it('is no jump where the batch size is not known', () => {
    const unknown = { ...incident, batchSize: null, slotsPerProcess: 1_000 };
    expect(runMsAt(unknown)).toBe(incident.wallMs);
    expect(batchThroughputPerSecond(unknown)).toBeCloseTo((4_000 * 1000) / 10_060);
  });

  it('never falls with more slots, never exceeds what arrives, and no run takes longer than the wall', () => {
    const input = fc.record({
      slotsPerProcess: fc.integer({ min: 0, max: 1_000 }),
      processes: fc.integer({ min: 0, max: 50 }),
      wallMs: fc.integer({ min: 1, max: 60_000 }),
      batchSize: fc.option(fc.integer({ min: 1, max: 500 })),
      serviceMs: fc.integer({ min: 0, max: 60_000 }),
      arrivalsPerSecond: fc.option(fc.double({ min: 0, max: 10_000, noNaN: true })),
    });
    fc.assert(
      fc.property(input, ({ serviceMs, ...rest }) => {
        const some = { ...rest, serviceMs: Math.min(serviceMs, rest.wallMs) };
        const more = { ...some, slotsPerProcess: some.slotsPerProcess + 1 };
        const perSecond = batchThroughputPerSecond(some);
        expect(Number.isFinite(perSecond) && perSecond >= 0).toBe(true);
        if (some.serviceMs > 0) expect(batchThroughputPerSecond(more)).toBeGreaterThanOrEqual(perSecond);
        if (some.arrivalsPerSecond !== null) expect(perSecond).toBeLessThanOrEqual(some.arrivalsPerSecond);
        expect(runMsAt(some)).toBeLessThanOrEqual(some.wallMs + 1e-6);
        expect(runMsAt(some)).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 2_000 },
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Lease, type LeaseStore } from '../../server/store/lease.js';
import { storesOfEachTest } from '../support/stores.js';

const stores = storesOfEachTest();

/** A console on the store, whose clock stands until it is moved. */
async function aConsole(holder: string, over: Partial<LeaseStore> = {}) {
  const store = await stores.open();
  const clock = { ms: Math.random() * 1e6 };
  const taken: number[] = [];
  const lease = new Lease({
    store: { ...store.leases, ...over },
    name: 'alerts',
    holder,
    monotonicMs: () => clock.ms,
  });
  lease.onTaken(() => taken.push(clock.ms));
  return { lease, clock, taken };
}
type Console = Awaited<ReturnType<typeof aConsole>>;

/** Time passes for all, and each looks once a second. */
async function pass(seconds: number, consoles: readonly Console[]): Promise<void> {
  for (let i = 0; i < seconds; i += 1)
    for (const { lease, clock } of consoles) {
      clock.ms += 1_000;
      await lease.look();
    }
}

describe('of several consoles on one store', () => {
  it('one alone holds the lease, and keeps it while it lives', async () => {
    const [a, b] = [await aConsole('a'), await aConsole('b')];
    await a.lease.look();
    await pass(60, [a, b]);
    expect([a.lease.isHeld(), b.lease.isHeld()]).toEqual([true, false]);
    expect(b.taken).toEqual([]);
  });

  it('another takes over within 15 s of the holder being killed', async () => {
    const [a, b] = [await aConsole('a'), await aConsole('b')];
    await a.lease.look();
    await pass(5, [a, b]);
    const killedAtMs = b.clock.ms;
    await pass(15, [b]);
    expect(b.lease.isHeld()).toBe(true);
    expect((b.taken[0] ?? 0) - killedAtMs).toBeGreaterThan(5_000);
    // The dead one, had it only slept, knows by its own clock that it is out.
    a.clock.ms += 15_000;
    expect(a.lease.isHeld()).toBe(false);
    await a.lease.look();
    expect(a.lease.isHeld()).toBe(false);
  });

  it('another takes over at its next look after an orderly stop', async () => {
    const [a, b] = [await aConsole('a'), await aConsole('b')];
    await a.lease.look();
    await pass(2, [a, b]);
    await a.lease.stop();
    await pass(1, [b]);
    expect([a.lease.isHeld(), b.lease.isHeld()]).toEqual([false, true]);
  });

  it('never do two believe to hold it, however they stall and look', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(2), fc.integer({ min: 200, max: 6_000 }), fc.subarray([0, 1, 2])), {
          minLength: 5,
          maxLength: 60,
        }),
        async (steps) => {
          const rows = inMemory();
          const clocks = [{ ms: 0 }, { ms: 5e5 }, { ms: 9e9 }];
          const leases = clocks.map(
            (clock, i) => new Lease({ store: rows, name: 'x', holder: `h${i}`, monotonicMs: () => clock.ms }),
          );
          for (const [, stepMs, awake] of steps) {
            // One time for all, whatever their clocks show; those asleep do not look.
            for (const clock of clocks) clock.ms += stepMs;
            for (const i of awake) await leases[i]?.look();
            expect(leases.filter((lease) => lease.isHeld()).length).toBeLessThanOrEqual(1);
          }
        },
      ),
    );
  });

  it('one whose store fails lets go in time, and takes it again when it works', async () => {
    let isBroken = false;
    const store = await stores.open();
    const a = await aConsole('a', {
      renew: (name, holder) =>
        isBroken ? Promise.reject(new Error('disk I/O error')) : store.leases.renew(name, holder),
    });
    await a.lease.look();
    isBroken = true;
    await pass(9, [a]);
    expect(a.lease.isHeld()).toBe(false);
    expect(a.lease.term).toBeNull();
    isBroken = false;
    await pass(1, [a]);
    expect(a.lease.isHeld()).toBe(true);
    // What stopped meanwhile is to be taken up again.
    expect([a.lease.term, a.taken.length]).toEqual([2, 2]);
  });
});

function inMemory(): LeaseStore {
  let row: { holder: string; beat: number } | null = null;
  return {
    read: async () => row,
    take: async (_name, holder, seen) => {
      if (seen?.holder !== row?.holder || seen?.beat !== row?.beat) return false;
      row = { holder, beat: (row?.beat ?? 0) + 1 };
      return true;
    },
    renew: async (_name, holder) => {
      if (row?.holder !== holder) return false;
      row = { holder, beat: row.beat + 1 };
      return true;
    },
    release: async (_name, holder) => {
      if (row?.holder === holder) row = { holder: '', beat: row.beat };
    },
  };
}

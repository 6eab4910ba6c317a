import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AgentOverrides } from '../../agent/overrides.js';
import type { Order, OrderedValue } from '../../agent/protocol.js';
import { anOrder } from '../support/agent-ear.js';

const NOW_MS = 1_800_000_000_000;
const DEPLOYED = { concurrency: 5, limiter: null };
const OWN = ['id-1', 'mailer@web-1'];

function standing(maxConcurrency: number | null = null): AgentOverrides {
  return new AgentOverrides(OWN, { maxConcurrency }, () => DEPLOYED);
}

const concurrency = (value: number | null, scope: string, over: Partial<Order> = {}): Order =>
  anOrder({ setting: 'concurrency', value, scope, ...over } as Partial<Order> & OrderedValue);

describe('what holds for a worker', () => {
  it('is the last order of its own scope, else the last for every worker, else what was deployed', () => {
    const anyOrder = fc.record({
      scope: fc.constantFrom('*', 'mailer@web-1', 'other@web-1'),
      value: fc.option(fc.integer({ min: 1, max: 100 }), { nil: null }),
    });
    fc.assert(
      fc.property(fc.array(anyOrder, { maxLength: 30 }), (given) => {
        const orders = standing();
        const last: Record<string, number | null> = {};
        for (const { scope, value } of given) {
          orders.take(concurrency(value, scope), NOW_MS);
          last[scope] = value;
        }
        expect(orders.wanted(NOW_MS).concurrency).toBe(last['mailer@web-1'] ?? last['*'] ?? null);
      }),
    );
  });

  it('is the same whether orders were heard one by one or read as kept', () => {
    const anyKept = fc.uniqueArray(
      fc.record({ scope: fc.constantFrom('*', ...OWN), value: fc.integer({ min: 1, max: 100 }) }),
      { selector: ({ scope }) => scope },
    );
    fc.assert(
      fc.property(anyKept, (kept) => {
        const heard = standing();
        const read = standing();
        const orders = kept.map(({ scope, value }) => concurrency(value, scope));
        for (const order of orders) heard.take(order, NOW_MS);
        read.takeKept(orders, NOW_MS, NOW_MS, true);
        expect(read.wanted(NOW_MS)).toEqual(heard.wanted(NOW_MS));
      }),
    );
  });

  it('ends with the order’s time, and falls back to the order behind it', () => {
    const orders = standing();
    orders.take(concurrency(8, '*'), NOW_MS);
    orders.take(concurrency(20, 'id-1', { untilMs: NOW_MS + 1000 }), NOW_MS);
    expect(orders.wanted(NOW_MS)).toMatchObject({ concurrency: 20, nextEndMs: NOW_MS + 1000 });
    expect(orders.wanted(NOW_MS + 1000)).toMatchObject({ concurrency: 8, nextEndMs: null });
  });

  it('stays as it was where the owner’s limit refuses an order, and says why', () => {
    const orders = standing(10);
    expect(orders.take(concurrency(9, '*'), NOW_MS)).toBeNull();
    expect(orders.take(concurrency(11, '*', { id: 'too-much' }), NOW_MS)).toMatch(/at most 10/);
    expect(orders.wanted(NOW_MS).concurrency).toBe(9);
    expect(orders.inForce(NOW_MS)).toContainEqual({ orderId: 'too-much', refusal: expect.any(String) });
    const byFactor = anOrder({ setting: 'concurrency', value: { factor: 3 } });
    expect(orders.take(byFactor, NOW_MS)).toMatch(/asks for 15/);
  });

  it('is not rolled back by an older kept order, nor by a read that was sent before a new one was heard', () => {
    const orders = standing();
    const older = concurrency(3, '*', { atMs: NOW_MS - 5000 });
    orders.take(concurrency(9, '*', { atMs: NOW_MS }), NOW_MS);
    orders.takeKept([older], NOW_MS + 100, NOW_MS + 200, true);
    expect(orders.wanted(NOW_MS + 200).concurrency).toBe(9);
    orders.takeKept([], NOW_MS - 100, NOW_MS + 300, true);
    expect(orders.wanted(NOW_MS + 300).concurrency).toBe(9);
  });

  it('is as deployed once Redis keeps the order no longer', () => {
    const orders = standing();
    orders.take(concurrency(9, '*'), NOW_MS);
    orders.takeKept([], NOW_MS + 1000, NOW_MS + 1001, true);
    expect(orders.wanted(NOW_MS + 1001).concurrency).toBeNull();
  });

  it('is not touched by an order for another worker', () => {
    const orders = standing();
    expect(orders.take(concurrency(9, 'other@web-1'), NOW_MS)).toBeNull();
    expect(orders.wanted(NOW_MS)).toEqual({
      concurrency: null,
      paused: null,
      limiter: null,
      nextEndMs: null,
    });
  });

  it('is by its id before its name, as that is for it alone', () => {
    const orders = standing();
    orders.take(concurrency(8, 'mailer@web-1'), NOW_MS);
    orders.take(concurrency(3, 'id-1'), NOW_MS);
    expect(orders.wanted(NOW_MS).concurrency).toBe(3);
    orders.take(concurrency(null, 'id-1'), NOW_MS);
    expect(orders.wanted(NOW_MS).concurrency).toBe(8);
  });

  it('is as before any orders that the worker turns out not to take, whichever they are', () => {
    const anyGiven = fc.array(
      fc.record({
        scope: fc.constantFrom('*', ...OWN),
        setting: fc.constantFrom('concurrency', 'paused', 'all') as fc.Arbitrary<Order['setting']>,
        value: fc.option(fc.integer({ min: 1, max: 20 }), { nil: null }),
      }),
      { maxLength: 10 },
    );
    const given = ({
      scope,
      setting,
      value,
    }: {
      scope: string;
      setting: Order['setting'];
      value: number | null;
    }) =>
      anOrder({
        setting,
        scope,
        value: setting === 'all' || value === null ? null : setting === 'paused' ? value > 10 : value,
      } as OrderedValue & { scope: string });
    fc.assert(
      fc.property(anyGiven, anyGiven, (before, after) => {
        const orders = standing(15);
        for (const one of before) orders.take(given(one), NOW_MS);
        const [wanted, inForce] = [orders.wanted(NOW_MS), orders.inForce(NOW_MS)];
        const goBack = orders.hold();
        for (const one of after) orders.take(given(one), NOW_MS);
        goBack();
        expect([orders.wanted(NOW_MS), orders.inForce(NOW_MS)]).toEqual([wanted, inForce]);
      }),
    );
  });

  it('is not taken back again and again by what somebody has written among the overrides', () => {
    const orders = standing();
    const all = anOrder({ setting: 'all', value: null, atMs: NOW_MS });
    orders.takeKept([concurrency(9, '*'), all], NOW_MS, NOW_MS, true);
    orders.takeKept([all, concurrency(9, '*')], NOW_MS + 1, NOW_MS + 1, true);
    orders.takeKept([concurrency(9, '*'), all], NOW_MS + 2, NOW_MS + 2, true);
    expect(orders.wanted(NOW_MS + 2).concurrency).toBe(9);
  });
});

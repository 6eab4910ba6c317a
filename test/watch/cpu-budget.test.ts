import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { credit, debit, grant, hasFirstCredit, newBudget } from '../../server/watch/cpu-budget.js';

const calm = { elapsedMs: 1_000, budgetRatio: 0.01, regularRatio: 0.004, othersRatio: 0.1 };

/** Spends all that is allowed for so many seconds. @returns µs in each. */
function spentBy(seconds: number, input: typeof calm): readonly number[] {
  let budget = newBudget(input.budgetRatio);
  return Array.from({ length: seconds }, () => {
    const earned = credit(budget, input);
    budget = debit(earned.budget, earned.allowanceUsec);
    return earned.allowanceUsec;
  });
}

describe('what may be spent on looks that can wait', () => {
  it('is much at the first look, for some seconds, and then what regular reads leave of the budget', () => {
    const spent = spentBy(120, calm);
    expect(spent[0]).toBeGreaterThan(100_000);
    expect(spent.slice(30).every((usec) => usec <= 0.006 * 1e6)).toBe(true);
    expect(spent.slice(30).every((usec) => usec > 0)).toBe(true);
  });

  it('never comes to more than the budget and the credit of the start, whatever the load', () => {
    const anyLoad = fc.record({
      elapsedMs: fc.integer({ min: 100, max: 30_000 }),
      budgetRatio: fc.double({ min: 0.001, max: 0.1, noNaN: true }),
      regularRatio: fc.double({ min: 0, max: 0.2, noNaN: true }),
      othersRatio: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(anyLoad, fc.integer({ min: 1, max: 300 }), (load, ticks) => {
        const spent = spentBy(ticks, load).reduce((sum, usec) => sum + usec, 0);
        const budget = load.budgetRatio * 1_000 * load.elapsedMs * ticks;
        expect(spent).toBeLessThanOrEqual(budget + load.budgetRatio * 100 * 1e6 + 1);
      }),
    );
  });

  it('is no more than the income at the first look where Redis is busy', () => {
    const spent = spentBy(10, { ...calm, othersRatio: 0.9 });
    expect(Math.max(...spent)).toBeLessThanOrEqual(0.01 * 1e6);
  });

  it('is nothing while there is a debt, and something again when it is paid', () => {
    let budget = debit(newBudget(0.01), 1_050_000);
    const allowed: number[] = [];
    for (let i = 0; i < 60; i++) {
      const earned = credit(budget, calm);
      budget = earned.budget;
      allowed.push(earned.allowanceUsec);
    }
    expect(allowed[0]).toBe(0);
    expect(allowed.at(-1)).toBeGreaterThan(0);
  });

  it('keeps a tenth of the budget where regular reads take all of it', () => {
    expect(spentBy(200, { ...calm, regularRatio: 0.02 }).at(-1)).toBeCloseTo(1_000);
  });

  it('lets regular reads live on the credit too', () => {
    let budget = newBudget(0.01);
    expect(hasFirstCredit(budget, 0.01)).toBe(true);
    for (let i = 0; i < 20; i++) budget = credit(budget, { ...calm, regularRatio: 0.1 }).budget;
    expect(hasFirstCredit(budget, 0.01)).toBe(false);
    expect(budget.creditUsec).toBeGreaterThanOrEqual(0);
  });
});

describe('new queues', () => {
  it('bring 100 µs each, up to the credit of a new console, and take none away from one that has more', () => {
    const spent = debit(newBudget(0.01), 1_200_000);
    const after = grant(spent, 1_000, 0.01);
    expect(after.creditUsec - spent.creditUsec).toBe(100_000);
    expect(hasFirstCredit(spent, 0.01)).toBe(false);
    expect(hasFirstCredit(after, 0.01)).toBe(false);
    expect(hasFirstCredit(grant(spent, 3_000, 0.01), 0.01)).toBe(true);
    expect(grant(spent, 10_000_000, 0.01)).toEqual(newBudget(0.01));
    const rich = { creditUsec: 2 * newBudget(0.01).creditUsec };
    expect(grant(rich, 5, 0.01)).toEqual(rich);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { passing, refusedDelivery } from '../../server/alerts/channels/channel.js';
import { channelsFor, planRetry } from '../../server/alerts/outbox.js';
import { aNotice, aNotification } from '../support/notifications.js';

const down = passing('refuses connections');
if (down.ok) throw new Error('a failure');
const no = refusedDelivery('answered 404');
if (no.ok) throw new Error('a failure');
const DAY_MS = 24 * 3_600_000;

describe('a message that did not arrive', () => {
  it('is tried again after 2 s, 4 s, 8 s … and never later than 15 min', () => {
    const delay = (tries: number, random: number) => {
      const plan = planRetry(down, { tries, createdAtMs: 0 }, 0, random);
      return plan.kind === 'again' ? plan.atMs : null;
    };
    expect([1, 2, 3, 4].map((tries) => delay(tries, 1))).toEqual([2_000, 4_000, 8_000, 16_000]);
    expect([1, 2, 3, 4].map((tries) => delay(tries, 0))).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(delay(40, 1)).toBe(15 * 60_000);
  });

  it('is not tried before the receiver wants it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (tries, random) => {
          const plan = planRetry({ ...down, retryAfterMs: 600_000 }, { tries, createdAtMs: 0 }, 0, random);
          expect(plan.kind === 'again' && plan.atMs >= 600_000).toBe(true);
        },
      ),
    );
  });

  it('is given up after a day', () => {
    expect(planRetry(down, { tries: 10, createdAtMs: 0 }, DAY_MS - 1_000, 0.5).kind).toBe('dead');
    expect(planRetry(down, { tries: 10, createdAtMs: 0 }, DAY_MS / 2, 0.5).kind).toBe('again');
  });

  it('that was refused is asked for a few times more, as over there may be a deploy', () => {
    expect(planRetry(no, { tries: 5, createdAtMs: 0 }, 0, 0.5).kind).toBe('again');
    expect(planRetry(no, { tries: 6, createdAtMs: 0 }, 0, 0.5)).toEqual({
      kind: 'dead',
      reason: 'refused 6 times',
    });
  });

  it('ends some day: no row of failures goes on for ever', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 0.999, noNaN: true }), (random) => {
        let nowMs = 0;
        let tries = 1;
        for (; tries < 1_000; tries += 1) {
          const plan = planRetry(down, { tries, createdAtMs: 0 }, nowMs, random);
          if (plan.kind === 'dead') break;
          expect(plan.atMs).toBeGreaterThan(nowMs);
          nowMs = plan.atMs;
        }
        expect(tries).toBeLessThan(200);
        expect(nowMs).toBeLessThanOrEqual(DAY_MS);
      }),
    );
  });
});

describe('who is notified', () => {
  const channels = [
    { name: 'all', minSeverity: 'info', instances: ['*'] },
    { name: 'pager', minSeverity: 'critical', instances: ['*'] },
    { name: 'shop', minSeverity: 'warning', instances: ['shop', 'shop-*'] },
  ] as const;

  it.each([
    ['info', 'mail', ['all']],
    ['warning', 'mail', ['all']],
    ['warning', 'shop-eu', ['all', 'shop']],
    ['critical', 'mail', ['all', 'pager']],
    ['critical', 'shop', ['all', 'pager', 'shop']],
  ] as const)('of %s trouble of %s', (severity, instance, expected) => {
    const alerts = [aNotice({ severity })];
    expect(channelsFor(aNotification({ severity, instance, alerts }), channels)).toEqual(expected);
  });

  it('of an end: whoever was notified of its worst alert', () => {
    const alerts = [aNotice({ severity: 'critical', status: 'resolved' }), aNotice({ severity: 'info' })];
    expect(channelsFor(aNotification({ severity: 'info', alerts }), channels)).toContain('pager');
  });
});

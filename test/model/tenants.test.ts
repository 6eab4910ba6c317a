import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TenantShare } from '../../server/model/job-type.js';
import {
  dominantTenant,
  NO_TENANT,
  NOT_TENANTS,
  OTHER_TENANTS,
  parseTenantField,
  tenantIn,
  UNREAD_TENANT,
} from '../../server/model/tenant-text.js';
import { byUrgency, countWithinBudget, planTenantSamples } from '../../server/redis/read-tenants.js';
import { TenantSamples } from '../../server/watch/instance-tenants.js';
import { fadeSample, newSample, shareRange } from '../../server/watch/sampled-state.js';
import { addTenant, tenantSharesOf } from '../../server/watch/tenant-shares.js';
import { seededRandom } from '../support/seeded-random.js';
import { aQueue } from '../support/snapshot.js';

const share = (tenant: string, value: number, low: number, total = 100): TenantShare => ({
  tenant,
  jobs: { value, low, high: Math.min(total, 2 * value - low) },
  bytes: value * 500,
  errorBytes: 0,
  shareOfBacklog: value / total,
});

describe('the tenant of a job', () => {
  it.each([
    ['{"tenant":"acme"}', 'tenant', 'acme'],
    ['{"tenant":42}', 'tenant', '42'],
    ['{"tenant":false}', 'tenant', 'false'],
    ['{"a":{"b":{"c":{"d":"deep"}}}}', 'a.b.c.d', 'deep'],
    ['{"orders":[{"of":"acme"}]}', 'orders.0.of', 'acme'],
    ['{"tenant":"  acme "}', 'tenant', 'acme'],
    ['{"tenant":"Größe 株式会社 👩‍👩‍👧"}', 'tenant', 'Größe 株式会社 👩‍👩‍👧'],
    ['{"__proto__":{"id":"p"}}', '__proto__.id', 'p'],
    ['{"tenant":"__proto__"}', 'tenant', '__proto__'],
    ['{"tenant":"evil\\u202egnp.exe\\u0000\\ud800"}', 'tenant', 'evil\ufffdgnp.exe\ufffd\ufffd'],
    ['{"tenant":"(other)"}', 'tenant', '"(other)"'],
  ])('of %s at %s is %s', (data, field, tenant) => {
    expect(tenantIn(data, parseTenantField(field) ?? [])).toBe(tenant);
  });

  it.each([
    ['{"tenant":{"id":1}}', 'tenant'],
    ['{"tenant":["acme"]}', 'tenant'],
    ['{"tenant":null}', 'tenant'],
    ['{"tenant":""}', 'tenant'],
    ['{}', 'tenant'],
    ['{}', 'constructor.name'],
    ['{}', '__proto__'],
    ['[1]', '__proto__.length'],
    ['"acme"', '0'],
    ['null', 'tenant'],
    ['{"tenant":"acme"', 'tenant'],
    ['', 'tenant'],
    ['['.repeat(16_000), 'tenant'],
  ])('is not made up for %s at %s', (data, field) => {
    expect(tenantIn(data, parseTenantField(field) ?? [])).toBe(NO_TENANT);
  });

  it('is text of at most 80 whole characters, whatever the data are', () => {
    expect([...tenantIn(JSON.stringify({ t: '👩'.repeat(200) }), ['t'])]).toHaveLength(80);
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), fc.array(fc.string(), { maxLength: 4 }), (data, path) => {
        const tenant = tenantIn(data, path);
        expect([...tenant].length).toBeLessThanOrEqual(80);
        expect(tenant).not.toBe('');
        expect(tenant.isWellFormed()).toBe(true);
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        const tenant = tenantIn(JSON.stringify({ t: text }), ['t']);
        expect([...tenant].length).toBeLessThanOrEqual(80);
        expect(tenant).not.toMatch(/\p{Cc}|\u202e/u);
      }),
    );
  });
});

describe('the dominant tenant', () => {
  it('is reported only where its share less the error is half or more', () => {
    expect(dominantTenant([share('acme', 60, 50)])).toMatchObject({ tenant: 'acme', shareRatio: 0.6 });
    expect(dominantTenant([share('acme', 60, 50)])?.error).toBeCloseTo(0.1);
    expect(dominantTenant([share('acme', 60, 49)])).toBeNull();
    expect(dominantTenant([share('acme', 50, 50), share('globex', 50, 50)])?.tenant).toBe('acme');
  });

  it('is none where nothing is known, and no word for several or for none', () => {
    expect(dominantTenant(null)).toBeNull();
    expect(dominantTenant([])).toBeNull();
    for (const name of NOT_TENANTS) expect(dominantTenant([share(name, 90, 90)])).toBeNull();
  });

  it('is the right one in nearly all samples of a queue where it has 60%, and none where it has 45%', () => {
    const random = seededRandom(11).uniform;
    const found = (ratio: number): number => {
      let named = 0;
      for (let round = 0; round < 200; round += 1) {
        const sampled = newSample();
        for (let i = 0; i < 150; i += 1) addTenant(sampled, random() < ratio ? 'acme' : `t${i % 40}`, 100);
        const tenants = tenantSharesOf([{ count: 10_000, sampled, keptRatio: 1 }]);
        if (dominantTenant(tenants)?.tenant === 'acme') named += 1;
      }
      return named;
    };
    expect(found(0.62)).toBeGreaterThan(150);
    expect(found(0.45)).toBeLessThan(4);
  });
});

describe('a share by some looks', () => {
  it.each([3, 10, 40, 150])('holds the truth in 95 of 100 cases, at %i looks', (looks) => {
    const random = seededRandom(17).uniform;
    for (const truth of [0.02, 0.3, 0.5, 0.87, 1]) {
      let held = 0;
      for (let round = 0; round < 1_000; round += 1) {
        let part = 0;
        for (let i = 0; i < looks; i += 1) if (random() < truth) part += 1;
        const range = shareRange({ weight: looks, effectiveSamples: looks, isCensus: false }, part);
        expect(range.low).toBeLessThanOrEqual(range.share);
        expect(range.high).toBeGreaterThanOrEqual(range.share);
        if (range.low <= truth + 1e-9 && range.high >= truth - 1e-9) held += 1;
      }
      expect(held, `${truth}`).toBeGreaterThanOrEqual(930);
    }
  });
});

describe('shares of tenants', () => {
  const looked = (jobs: readonly string[], isCensus = false) => {
    const sampled = newSample();
    for (const tenant of jobs) addTenant(sampled, tenant, 100);
    sampled.isCensus = isCensus;
    return sampled;
  };

  it('are exact where every job was looked at', () => {
    const sampled = looked(['acme', 'acme', 'globex', NO_TENANT], true);
    expect(tenantSharesOf([{ count: 4, sampled, keptRatio: 1 }])).toMatchObject([
      { tenant: 'acme', jobs: { value: 2, low: 2, high: 2 }, bytes: 200, errorBytes: 0, shareOfBacklog: 0.5 },
      { tenant: 'globex', shareOfBacklog: 0.25 },
      { tenant: NO_TENANT, shareOfBacklog: 0.25 },
    ]);
  });

  it('leave to nobody what nobody has looked at', () => {
    const active = {
      count: 10,
      sampled: looked(
        Array.from({ length: 10 }, () => 'acme'),
        true,
      ),
      keptRatio: 1,
    };
    const tenants = tenantSharesOf([active, { count: 90, sampled: null, keptRatio: 0 }]);
    expect(tenants).toMatchObject([
      { tenant: 'acme', shareOfBacklog: 0.1 },
      { tenant: UNREAD_TENANT, shareOfBacklog: 0.9 },
    ]);
    expect(dominantTenant(tenants)).toBeNull();
  });

  it('are not believed of a few jobs alone: of as few as six a tenant with all of them may not have half', () => {
    for (const [looks, is] of [
      [1, null],
      [3, null],
      [6, null],
      [8, 'acme'],
    ] as const) {
      const tenants = tenantSharesOf([
        { count: 3_000, sampled: looked(Array.from({ length: looks }, () => 'acme')), keptRatio: 1 },
      ]);
      expect(tenants[0]?.errorBytes).toBeGreaterThan(0);
      expect(dominantTenant(tenants)?.tenant ?? null, `${looks} looks`).toBe(is);
    }
  });

  it('add up to one, with ten by name at most, the truth within range', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(300), { minLength: 1, maxLength: 800 }),
        fc.integer({ min: 1, max: 100_000 }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        (tenants, count, keptRatio) => {
          const sampled = newSample();
          for (const [i, tenant] of tenants.entries()) {
            addTenant(sampled, `t${tenant}`, 10 * tenant);
            if (i % 100 === 99) fadeSample(sampled, 0.7);
          }
          expect(sampled.parts.size).toBeLessThanOrEqual(101);
          const shares = tenantSharesOf([{ count, sampled, keptRatio }]);
          expect(shares.filter(({ tenant }) => !NOT_TENANTS.has(tenant)).length).toBeLessThanOrEqual(10);
          expect(shares.reduce((sum, { shareOfBacklog }) => sum + shareOfBacklog, 0)).toBeCloseTo(1, 6);
          for (const { jobs } of shares) {
            expect(jobs.low).toBeLessThanOrEqual(jobs.value);
            expect(jobs.high).toBeGreaterThanOrEqual(jobs.value);
            expect(jobs.high).toBeLessThanOrEqual(count);
          }
        },
      ),
    );
  });

  it('find a flood that comes after thousands of tenants, and do not overrate it', () => {
    const sampled = newSample();
    for (let i = 0; i < 500; i += 1) addTenant(sampled, `small-${i}`, 100);
    for (let i = 0; i < 4_000; i += 1) addTenant(sampled, i % 4 === 0 ? `late-${i}` : 'acme', 100);
    const [first] = tenantSharesOf([{ count: 10_000, sampled, keptRatio: 1 }]);
    expect(first?.tenant).toBe('acme');
    expect(first?.shareOfBacklog).toBeGreaterThan(0.65);
    expect(first?.shareOfBacklog).toBeLessThanOrEqual(0.76);
  });
});

describe('tenants of a queue whose jobs come and go', () => {
  const jobs = (tenant: string, count: number) =>
    Array.from({ length: count }, () => ({ tenant, bytes: 100 }));
  const reading = (tenant: string, count: number, isCensus = false) => ({
    queueId: 'bull:resync',
    key: 'bull:resync:wait',
    count: 1_000,
    isCensus,
    jobs: jobs(tenant, count),
  });
  const queueAt = (addedTotal: number, waiting: number) =>
    aQueue({ name: 'resync', addedTotal, unfinished: waiting, counts: { waiting } });

  it('are forgotten as far as others have taken their place', () => {
    const samples = new TenantSamples();
    samples.take(reading('acme', 200), queueAt(1_000, 1_000), 0);
    expect(dominantTenant(samples.shares(queueAt(1_000, 1_000)))?.tenant).toBe('acme');
    // All of acme's jobs were done while as many of others came, and nobody has looked since.
    expect(dominantTenant(samples.shares(queueAt(2_000, 1_000)))).toBeNull();
    expect(samples.needs(queueAt(2_000, 1_000), 1_000)[0]?.samples).toBe(0);
    samples.take(reading('globex', 20), queueAt(2_000, 1_000), 1_000);
    expect(dominantTenant(samples.shares(queueAt(2_000, 1_000)))?.tenant).toBe('globex');
  });

  it('are no longer exact once jobs have come since all were looked at', () => {
    const samples = new TenantSamples();
    samples.take({ ...reading('acme', 20, true), count: 20 }, queueAt(20, 20), 0);
    expect(samples.shares(queueAt(20, 20))[0]?.jobs).toEqual({ value: 20, low: 20, high: 20 });
    const [known] = samples.shares(queueAt(30, 30));
    expect(known?.jobs.low).toBeLessThanOrEqual(20);
    expect(samples.needs(queueAt(30, 30), 0)[0]?.isCensus).toBe(false);
  });
});

describe('what is read to know tenants', () => {
  it('stays within its bytes, and passes large data over without being favourable to small ones', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(40_000), { maxLength: 200 }), (sizes) => {
        const looks = countWithinBudget(sizes, 16_384, 65_536);
        const read = sizes.slice(0, looks).filter((bytes) => bytes <= 16_384);
        expect(read.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThanOrEqual(65_536);
        if (looks < sizes.length) expect(read.reduce((sum, bytes) => sum + bytes, 0)).toBeGreaterThan(49_152);
      }),
    );
    const random = seededRandom(5).uniform;
    let [large, all] = [0, 0];
    for (let tick = 0; tick < 2_000; tick += 1) {
      const sizes = Array.from({ length: 60 }, () => (random() < 0.5 ? 16_000 : 100));
      const looks = countWithinBudget(sizes, 16_384, 65_536);
      large += sizes.slice(0, looks).filter((bytes) => bytes > 100).length;
      all += looks;
    }
    expect(large / all).toBeGreaterThan(0.48);
    expect(large / all).toBeLessThan(0.52);
  });

  it('adds looks where tenants are not known well, the longest for what is known of it first, and none where they are', () => {
    const need = { isCensus: false, ageMs: 1_000 };
    const needs = [
      { ...need, key: 'short', count: 10, samples: 0 },
      { ...need, key: 'long', count: 50_000, samples: 20 },
      { ...need, key: 'longer', count: 60_000, samples: 120 },
      { ...need, key: 'known', count: 90_000, samples: 150 },
      { ...need, key: 'counted', count: 20, samples: 20, isCensus: true },
      { ...need, key: 'old', count: 30, samples: 200, ageMs: 60_000 },
    ];
    const planned = planTenantSamples(byUrgency(needs), new Map([['old', 40]]), 40);
    expect([...planned]).toEqual([
      ['old', 40],
      ['long', 24],
      ['short', 10],
    ]);
  });
});

it('stands for what is not named, under a name that no tenant can have', () => {
  for (const name of NOT_TENANTS) expect(tenantIn(JSON.stringify({ t: name }), ['t'])).toBe(`"${name}"`);
  expect(NOT_TENANTS.has(OTHER_TENANTS)).toBe(true);
});

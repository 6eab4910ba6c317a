import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatBytes,
  formatBytesPerSecond,
  formatCount,
  formatDuration,
  formatJobs,
  formatNumber,
  formatRate,
  formatRateLimit,
  formatRatio,
  formatValue,
} from '../../server/model/format.js';

describe('numbers read as a person says them', () => {
  test.each([
    [0, '0 s'],
    [0.01, 'under 0.1 s'],
    [0.42, '0.4 s'],
    [45, '45 s'],
    [59.7, '1 min'],
    [190, '3 min 10 s'],
    [3599.9, '1 h'],
    [7500, '2 h 5 min'],
    [86_399, '1 d'],
    [273_600, '3 d 4 h'],
    [Number.POSITIVE_INFINITY, 'never'],
    [Number.NaN, 'unknown'],
  ])('%s seconds: %s', (seconds, text) => expect(formatDuration(seconds)).toBe(text));

  test.each([
    [0, '0 bytes'],
    [512, '512 bytes'],
    [1536, '1.5 KB'],
    [98_566_144, '94 MB'],
    // maxmemory 100mb of redis.conf
    [104_857_600, '100 MB'],
    [1_073_741_823, '1.0 GB'],
    [-2_097_152, '-2.0 MB'],
  ])('%s bytes: %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  test.each([
    [12.345, '12.3/s'],
    [0.0412, '0.04/s'],
    [0.0001, 'under 0.01/s'],
    [1234.5, '1,235/s'],
    [99.97, '100/s'],
    [0, '0/s'],
  ])('%s a second: %s', (rate, text) => expect(formatRate(rate)).toBe(text));

  test('jobs, counts, ratios and limits', () => {
    expect(formatJobs(1)).toBe('1 job');
    expect(formatJobs(1234)).toBe('1,234 jobs');
    expect(formatCount(1_234_567)).toBe('1,234,567');
    expect(formatRatio(0.834)).toBe('83%');
    expect(formatRatio(0.0042)).toBe('0.4%');
    expect(formatRatio(1.1)).toBe('110%');
    expect(formatBytesPerSecond(2_097_152)).toBe('2.0 MB/s');
    expect(formatRateLimit(10, 1000)).toBe('10 per second');
    expect(formatRateLimit(2, 4000)).toBe('2 per 4 s');
  });

  test('whatever the number, nothing reads NaN, Infinity, undefined or an exponent', () => {
    fc.assert(
      fc.property(fc.double(), (value) => {
        const texts = [
          formatDuration(value),
          formatBytes(value),
          formatBytesPerSecond(value),
          formatRate(value),
          formatJobs(value),
          formatNumber(value),
          formatRatio(value),
          formatValue(value, 'bool'),
        ];
        for (const text of texts) expect(text).not.toMatch(/NaN|Infinity|undefined|\de[+-]?\d|∞/);
      }),
    );
  });
});

import { formatDuration } from './format.js';

/**
 * A run time as people compare it: 0.4 → "under 1 ms", 23.4 → "23 ms", 1234 → "1.2 s", 10,100 → "10.1 s",
 * 95,000 → "1 min 35 s". Pure; never prints NaN.
 */
export function formatRunTime(ms: number): string {
  if (!Number.isFinite(ms)) return formatDuration(ms);
  if (ms <= 0) return '0 ms';
  if (ms < 1) return 'under 1 ms';
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${Number((ms / 1000).toFixed(1))} s`;
  return formatDuration(ms / 1000);
}

import { expect, it } from 'vitest';
import { Ago } from '../../views/ago.js';

const NOW_MS = Date.parse('2026-01-02T03:04:05Z');
const ago = (atMs: number | null) => String(<Ago atMs={atMs} nowMs={NOW_MS} />);

it('says how long ago it was, and exactly when where the pointer is', () => {
  expect(ago(NOW_MS - 125_000)).toBe(
    '<time datetime="2026-01-02T03:02:00.000Z" title="03:02:00 UTC">2 min ago</time>',
  );
  expect(ago(NOW_MS - 2_000)).toContain('>just now<');
  expect(ago(NOW_MS - 3 * 86_400_000)).toContain('title="2025-12-30 03:04:05 UTC"');
  expect(ago(null)).toBe('–');
});

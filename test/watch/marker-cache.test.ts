import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ALL_INSTANCES, type TimelineEntry } from '../../server/model/timeline-entry.js';
import { MARKERS_KEPT_MS, MAX_MARKERS, MarkerCache } from '../../server/watch/marker-cache.js';
import { NOW_MS } from '../support/snapshot.js';

type Entry = Omit<TimelineEntry, 'id'>;

function deploy(atMs: number, over: Partial<Entry> = {}): Entry {
  return {
    atMs,
    instance: 'default',
    kind: 'marker.deploy',
    queue: null,
    worker: null,
    text: `deploy at ${atMs}`,
    actor: 'ci',
    ...over,
  };
}

it('a deploy is known at once where it happened, and everywhere when nobody said where', () => {
  const book = new MarkerCache(['default', 'other'], () => NOW_MS);
  book.add(deploy(NOW_MS - 1000, { queue: 'bull:mail' }));
  book.add(deploy(NOW_MS - 2000, { instance: ALL_INSTANCES, kind: 'marker.note', actor: 'ana' }));
  expect(book.of('default')).toEqual([
    { atMs: NOW_MS - 2000, kind: 'note', text: `deploy at ${NOW_MS - 2000}`, actor: 'ana', queue: null },
    {
      atMs: NOW_MS - 1000,
      kind: 'deploy',
      text: `deploy at ${NOW_MS - 1000}`,
      actor: 'ci',
      queue: 'bull:mail',
    },
  ]);
  expect(book.of('other').map(({ kind }) => kind)).toEqual(['note']);
  expect(book.of('nowhere')).toEqual([]);
});

it('what the console notices by itself is no marker', () => {
  const book = new MarkerCache(['default'], () => NOW_MS);
  book.add(deploy(NOW_MS, { kind: 'redis.failover' }));
  expect(book.of('default')).toEqual([]);
});

it('a deploy of yesterday is forgotten while nobody enters anything', () => {
  let nowMs = NOW_MS;
  const book = new MarkerCache(['default'], () => nowMs);
  book.add(deploy(NOW_MS - 1000));
  book.add(deploy(NOW_MS));
  nowMs = NOW_MS + MARKERS_KEPT_MS - 500;
  expect(book.of('default').map(({ atMs }) => atMs)).toEqual([NOW_MS]);
  expect(book.of('default')).toBe(book.of('default'));
});

it('of a pipeline that marks every commit the newest 200 are kept, in whatever order they come', () => {
  const book = new MarkerCache(['default'], () => NOW_MS);
  const agesMs = Array.from({ length: 3 * MAX_MARKERS }, (_, i) => (i * 7919) % (3 * MAX_MARKERS));
  for (const ageMs of agesMs) book.add(deploy(NOW_MS - ageMs));
  const kept = Array.from({ length: MAX_MARKERS }, (_, i) => NOW_MS - (MAX_MARKERS - 1 - i));
  expect(book.of('default').map(({ atMs }) => atMs)).toEqual(kept);
});

it('whatever is entered: all of the last day, oldest first, and the same list until it changes', () => {
  const anyEntry = fc.record({
    atMs: fc.integer({ min: NOW_MS - 1.2 * MARKERS_KEPT_MS, max: NOW_MS + 60_000 }),
    instance: fc.constantFrom('default', 'other', ALL_INSTANCES),
  });
  fc.assert(
    fc.property(fc.array(anyEntry, { maxLength: 40 }), (entries) => {
      const book = new MarkerCache(['default', 'other'], () => NOW_MS);
      for (const { atMs, instance } of entries) book.add(deploy(atMs, { instance }));
      const told = book.of('default');
      const wanted = entries
        .filter(({ instance, atMs }) => instance !== 'other' && atMs >= NOW_MS - MARKERS_KEPT_MS)
        .map(({ atMs }) => atMs)
        .sort((a, b) => a - b);
      expect(told.map(({ atMs }) => atMs)).toEqual(wanted);
      expect(book.of('default')).toBe(told);
    }),
  );
});

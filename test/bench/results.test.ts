import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { GROUPS as ALL } from '../../bench/groups.js';
import { isBad, renderResults, summaryOf } from '../../bench/render.js';
import { type Conditions, RESULTS, type Result, recorded } from '../../bench/results.js';
import type { Row } from '../../bench/row.js';
import { packagePath } from '../../server/process/package-path.js';

const MACHINE = { redis: '7.0.15', node: '20.20.2', machine: 'CPU, 2 cores, 24 GiB', load: 0.5 };
const GROUPS = [
  { name: 'console', title: 'Console', peer: 'The peer is bull-board.' },
  { name: 'replay', title: 'Replays', peer: 'The peer is bull-board.' },
];

function row(value: number, fields: Partial<Row> = {}): Row {
  return { id: 'resident', what: 'resident memory', kind: 'cost', unit: 'MB', value, limit: 130, ...fields };
}

/** Runs of the group console, one after the other. */
function runs(...all: readonly (Row | readonly Row[])[]): readonly Result[] {
  return all.reduce<readonly Result[]>((results, rows, day) => {
    const at = new Date(Date.UTC(2026, 10, day + 1)).toISOString();
    return recorded(results, 'console', [rows].flat(), { ...MACHINE, at });
  }, []);
}

describe('the results of the bench', () => {
  it('keep the runs before of each row, newest first and not all', () => {
    const results = runs(...Array.from({ length: 12 }, (_, i) => row(100 + i)));
    expect(results[0]?.value).toBe(111);
    expect(results[0]?.earlier.map(({ value }) => value)).toEqual([110, 109, 108, 107, 106, 105, 104, 103]);
    expect(RESULTS.parse(JSON.parse(JSON.stringify(results)))).toEqual(results);
  });

  it('replace the rows of the group that was measured, and no other', () => {
    const conditions: Conditions = { ...MACHINE, at: '2026-11-30T10:00:00.000Z' };
    const replay = recorded(runs([row(100), row(3, { id: 'gone' })]), 'replay', [row(1)], conditions);
    const after = recorded(replay, 'console', [row(101)], conditions);
    expect(after.map(({ group, id, value }) => [group, id, value])).toEqual([
      ['console', 'resident', 101],
      ['replay', 'resident', 1],
    ]);
    expect(after[1]).toBe(replay[2]);
  });

  it('take no row that was not measured, nor two of one id', () => {
    expect(() => runs(row(Number.NaN))).toThrow('resident was not measured');
    expect(() => runs(row(1, { kind: 'ratio' }))).toThrow('resident was not measured');
    expect(() => runs([row(1), row(2)])).toThrow('one id');
  });

  it('hold a ratio to its limit beside the peer, whatever the value', () => {
    const ratio = (peer: number) => runs(row(50, { kind: 'ratio', peer, limit: 0.2 }));
    expect(isBad(ratio(500))).toBe(false);
    expect(summaryOf(ratio(100))).toEqual([
      '**Limit missed**: resident memory: 0.5, wanted ≤ 0.2 of the peer',
    ]);
  });

  it('say what got worse than the last run, though it keeps its limit', () => {
    const results = runs(row(60), row(61), row(60), row(61), row(100));
    expect(isBad(results)).toBe(true);
    expect(summaryOf(results)).toEqual([
      '**Worse than the run before**: resident memory: **worse** +39 MB (noise 6.1 MB)',
    ]);
    expect(summaryOf(runs(row(60), row(61)))).toEqual([
      'Nothing got worse beyond noise, and every limit is held.',
    ]);
  });

  it('hold wall times to their limit, and not against earlier runs', () => {
    expect(isBad(runs(row(10, { kind: 'time' }), row(100, { kind: 'time' })))).toBe(false);
    expect(isBad(runs(row(10, { kind: 'time' }), row(140, { kind: 'time' })))).toBe(true);
  });

  it('compare costs on one machine alone, and ratios on any', () => {
    const at = '2026-11-30T10:00:00.000Z';
    const elsewhere = { ...MACHINE, machine: 'another CPU', at };
    expect(isBad(recorded(runs(row(50)), 'console', [row(100)], elsewhere))).toBe(false);
    const moved = recorded(runs(row(50)), 'console', [row(100)], elsewhere);
    expect(renderResults(moved, GROUPS)).toContain('| another machine | 50 |');
    const [before, after] = [10, 20].map((value) => row(value, { kind: 'ratio', peer: 100 }));
    if (before && after) expect(isBad(recorded(runs(before), 'console', [after], elsewhere))).toBe(true);
  });

  it('are rendered with what is wrong first, and cells that hold any text', () => {
    const text = renderResults(runs(row(200, { detail: 'a|b' })), GROUPS);
    expect(text.indexOf('**Limit missed**')).toBeLessThan(text.indexOf('## Console'));
    expect(text).toContain('| resident memory | 200 MB; a\\|b |  |  | ≤ 130 MB **missed** | first run |  |');
    expect(text).not.toContain('## Replays');
  });
});

describe('bench/RESULTS.md', () => {
  it('is what bench/results.json says', async () => {
    const read = (file: string) => readFile(packagePath(`bench/${file}`), 'utf8');
    const results = RESULTS.parse(JSON.parse(await read('results.json')));
    expect(await read('RESULTS.md')).toBe(renderResults(results, ALL));
  });
});

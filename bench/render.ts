import type { Group } from './groups.js';
import { judgedOf, type Result, type RowVerdict, rowVerdictOf } from './results.js';

const KINDS: readonly Result['kind'][] = ['ratio', 'cost', 'time'];
const SHOWN_RUNS = 4;

type Texts = Pick<Group, 'name' | 'title' | 'peer' | 'notes'>;

/** bench/RESULTS.md: what is wrong first, then a table for each group. */
export function renderResults(results: readonly Result[], groups: readonly Texts[]): string {
  return [
    '# Measured',
    '',
    ...summaryOf(results).map((line) => `- ${line}`),
    '',
    'Made by `npm run bench` from `results.json`, a group a run; everything of a run is on one machine. Ratios to the peer of the same run say most, then what a thing costs; wall times are also what the machine did otherwise, so they are held to their limits and not against earlier runs. A change counts when it is larger than the noise: the spread of earlier runs, and of what was measured several times within a run.',
    '',
    ...groups.flatMap((group) =>
      sectionOf(
        group,
        results.filter((row) => row.group === group.name),
      ),
    ),
  ].join('\n');
}

/** What got worse beyond noise and what misses its limit, a line each; or one line that nothing does. */
export function summaryOf(results: readonly Result[]): readonly string[] {
  const judged = results.map((row) => ({ row, verdict: rowVerdictOf(row) }));
  const worse = judged.filter(({ verdict }) => verdict.since?.verdict === 'worse');
  const missed = judged.filter(({ verdict }) => verdict.isMissed);
  const lines = [
    ...worse.map(
      ({ row, verdict }) => `**Worse than the run before**: ${row.what}: ${sinceOf(row, verdict)}`,
    ),
    ...missed.map(
      ({ row, verdict }) =>
        `**Limit missed**: ${row.what}: ${shown(row, verdict.figure)}, wanted ${wantedOf(row)}`,
    ),
  ];
  return lines.length > 0 ? lines : ['Nothing got worse beyond noise, and every limit is held.'];
}

/** Whether a run must end with an error. */
export function isBad(results: readonly Result[]): boolean {
  return results.map(rowVerdictOf).some(({ since, isMissed }) => isMissed || since?.verdict === 'worse');
}

function sectionOf({ title, peer, notes }: Texts, rows: readonly Result[]): readonly string[] {
  const [first] = rows;
  if (!first) return [];
  const { at, machine, redis, node, load } = first;
  return [
    `## ${title}`,
    '',
    `${at.slice(0, 16).replace('T', ' ')} UTC, ${machine}, load ${load === null ? 'unknown' : load.toFixed(1)}, Redis ${redis}, Node ${node}. ${peer}`,
    '',
    '| what | Spillway | peer | ratio | wanted | since the run before | runs before |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...KINDS.flatMap((kind) => rows.filter((row) => row.kind === kind)).map(lineOf),
    '',
    ...(notes === undefined ? [] : [notes, '']),
  ];
}

function lineOf(row: Result): string {
  const verdict = rowVerdictOf(row);
  const spillway = [amount(row.value, row.unit), row.detail].filter(Boolean).join('; ');
  const peer = [row.peer === null ? '' : amount(row.peer, row.unit), row.peerDetail]
    .filter(Boolean)
    .join('; ');
  const wanted = row.limit === null ? '' : `${wantedOf(row)}${verdict.isMissed ? ' **missed**' : ''}`;
  const before = row.earlier.slice(0, SHOWN_RUNS).map((run) => digits(judgedOf(run, row.kind)));
  const cells = [row.what, spillway, peer, row.ratio === null ? '' : digits(row.ratio), wanted];
  return `| ${[...cells, sinceOf(row, verdict), before.join(', ')].map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function sinceOf(row: Result, { since }: RowVerdict): string {
  if (since === null)
    return row.kind === 'time' ? '' : row.earlier.length > 0 ? 'another machine' : 'first run';
  const { change, noise, verdict } = since;
  const text = `${change < 0 ? '−' : '+'}${shown(row, Math.abs(change))} (noise ${shown(row, noise)})`;
  return verdict === 'same' ? text : verdict === 'worse' ? `**worse** ${text}` : `better ${text}`;
}

function wantedOf(row: Result): string {
  return `≤ ${row.limit === null ? '' : shown(row, row.limit)}${row.kind === 'ratio' ? ' of the peer' : ''}`;
}

/** What is judged in its own unit: a ratio has none. */
function shown(row: Result, figure: number): string {
  return row.kind === 'ratio' ? digits(figure) : amount(figure, row.unit);
}

function amount(value: number, unit: string): string {
  return unit.startsWith('%') ? `${digits(value)}${unit}` : `${digits(value)} ${unit}`;
}

function digits(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString('en');
  return Math.abs(value) >= 100
    ? Math.round(value).toLocaleString('en')
    : String(Number(value.toPrecision(3)));
}

import { cpus, totalmem } from 'node:os';

export interface Row {
  readonly what: string;
  readonly spillway: string;
  readonly peer: string;
  /** spillway / peer, or what else it is held against. */
  readonly ratio: string;
  readonly wanted: string;
  readonly isMet: boolean | null;
}

const BULL_BOARD =
  'The peer is @bull-board/api over Hono, serving the same queues from the same Redis in the same run.';

/** The table, and the machine that it was measured on. */
export function renderReport(
  rows: readonly Row[],
  redisVersion: string,
  atMs: number,
  peer = BULL_BOARD,
): string {
  const head = '| what | Spillway | peer | ratio | wanted | met |\n| --- | --- | --- | --- | --- | --- |';
  const body = rows.map(
    (row) =>
      `| ${row.what} | ${row.spillway} | ${row.peer} | ${row.ratio} | ${row.wanted} | ${met(row.isMet)} |`,
  );
  const cpu = cpus()[0]?.model ?? 'unknown CPU';
  return [
    '# Measured',
    '',
    `${new Date(atMs).toISOString().slice(0, 10)}, ${cpu}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Redis ${redisVersion}, Node ${process.versions.node}. ${peer} Everything runs on this one machine, so look at ratios more than at times. Made by \`npm run bench\`.`,
    '',
    head,
    ...body,
    '',
  ].join('\n');
}

function met(isMet: boolean | null): string {
  return isMet === null ? '' : isMet ? 'yes' : '**no**';
}

export function ms(value: number): string {
  return `${value < 10 ? value.toFixed(2) : value.toFixed(1)} ms`;
}

import { PATIENCE } from './drill-times.js';
import { waitFor } from './wait-for.js';

/** What happened when: printed as it happens, and kept, with the checks that failed. */
export interface Activity {
  /** Seconds since the drill began. */
  elapsedSeconds(): number;
  note(what: string, figures?: string): void;
  /** A claim that must hold; the row says ok or FAILED. */
  check(claim: string, holds: boolean, figures?: string): void;
  /**
   * Waits until a claim holds, and enters it.
   * @param withinMs as promised: where the machine is shared it may take PATIENCE times as long
   * @param figures of the moment at which it holds or is given up
   * @returns whether it holds
   */
  checkWithin(
    claim: string,
    withinMs: number,
    condition: () => boolean | Promise<boolean>,
    figures?: () => string | Promise<string>,
  ): Promise<boolean>;
  /** From now on it is so, whatever anybody sees of it. A moment that comes again keeps its first time. */
  moment(name: string): void;
  /** When what came true, by its name. */
  readonly momentsMs: ReadonlyMap<string, number>;
  readonly rows: readonly CheckRow[];
  failures(): readonly CheckRow[];
}

export interface CheckRow {
  readonly atSeconds: number;
  readonly kind: 'note' | 'ok' | 'FAILED';
  readonly what: string;
  readonly figures: string;
}

const COLUMNS = { at: 9, kind: 6, what: 68 };

/** @param print takes a line; @param now is a clock in ms. */
export function createDrillActivity(print: (line: string) => void, now: () => number): Activity {
  const startedAtMs = now();
  const rows: CheckRow[] = [];
  const momentsMs = new Map<string, number>();
  const elapsedSeconds = (): number => (now() - startedAtMs) / 1000;
  const enter = (kind: CheckRow['kind'], what: string, figures: string): void => {
    if (rows.length === 0) print(line('T+ s', '', 'what', 'figures'));
    const row = { atSeconds: elapsedSeconds(), kind, what, figures };
    rows.push(row);
    print(line(row.atSeconds.toFixed(1), kind === 'note' ? '' : kind, what, figures));
  };
  const check = (claim: string, holds: boolean, figures = ''): void =>
    enter(holds ? 'ok' : 'FAILED', claim, figures);
  return {
    elapsedSeconds,
    note: (what, figures = '') => enter('note', what, figures),
    check,
    async checkWithin(claim, withinMs, condition, figures = () => '') {
      const holds = await waitFor(condition, withinMs * PATIENCE);
      check(claim, holds, await figures());
      return holds;
    },
    moment: (name) => {
      if (!momentsMs.has(name)) momentsMs.set(name, now());
    },
    momentsMs,
    rows,
    failures: () => rows.filter((row) => row.kind === 'FAILED'),
  };
}

function line(at: string, kind: string, what: string, figures: string): string {
  return `${at.padStart(COLUMNS.at - 2)}  ${kind.padEnd(COLUMNS.kind)}  ${what.padEnd(COLUMNS.what)}  ${figures}`.trimEnd();
}

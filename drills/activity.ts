import { waitFor } from './wait-for.js';

interface CheckRow {
  readonly atSeconds: number;
  readonly kind: 'note' | 'ok' | 'FAILED';
  readonly what: string;
  readonly figures: string;
}

/** Whether a claim holds, with the figures of that moment. */
type Look = boolean | readonly [holds: boolean, figures: string];

const COLUMNS = { at: 9, kind: 6, what: 68 };

/** What happened when in a drill: printed as it happens, and kept, with the checks that failed. */
export class DrillActivity {
  /** When what came true, by its name. */
  readonly momentsMs = new Map<string, number>();
  readonly #rows: CheckRow[] = [];
  readonly #print: (line: string) => void;
  readonly #now: () => number;
  readonly #startedAtMs: number;

  /** @param print takes a line; @param now is a clock in ms. */
  constructor(print: (line: string) => void, now: () => number) {
    this.#print = print;
    this.#now = now;
    this.#startedAtMs = now();
  }

  note(what: string, figures = ''): void {
    this.#enter('note', what, figures);
  }

  /** A claim that must hold; the row says ok or FAILED. */
  check(claim: string, holds: boolean, figures = ''): void {
    this.#enter(holds ? 'ok' : 'FAILED', claim, figures);
  }

  /** Waits until a claim holds, as long as `waitFor` does, and enters it as it was seen last. */
  async checkWithin(claim: string, withinMs: number, look: () => Look | Promise<Look>): Promise<void> {
    let seen: readonly [holds: boolean, figures: string] = [false, ''];
    await waitFor(async () => {
      const now = await look();
      seen = typeof now === 'boolean' ? [now, ''] : now;
      return seen[0];
    }, withinMs);
    this.check(claim, ...seen);
  }

  /** From now on it is so, whatever anybody sees of it. A moment that comes again keeps its first time. */
  moment(name: string): void {
    if (!this.momentsMs.has(name)) this.momentsMs.set(name, this.#now());
  }

  failures(): readonly CheckRow[] {
    return this.#rows.filter((row) => row.kind === 'FAILED');
  }

  #enter(kind: CheckRow['kind'], what: string, figures: string): void {
    if (this.#rows.length === 0) this.#print(line('T+ s', '', 'what', 'figures'));
    const row = { atSeconds: (this.#now() - this.#startedAtMs) / 1000, kind, what, figures };
    this.#rows.push(row);
    this.#print(line(row.atSeconds.toFixed(1), kind === 'note' ? '' : kind, what, figures));
  }
}

function line(at: string, kind: string, what: string, figures: string): string {
  return `${at.padStart(COLUMNS.at - 2)}  ${kind.padEnd(COLUMNS.kind)}  ${what.padEnd(COLUMNS.what)}  ${figures}`.trimEnd();
}

import type { Client, Row } from '@libsql/client';
import type { Parking, ParkingPhase, ParkingState, ParkRequest, Skipped } from './parking.js';

/** What may change in the row of a parking besides its counts. */
export type ParkingChange = Partial<
  Pick<
    Parking,
    | 'phase'
    | 'state'
    | 'because'
    | 'ratePerSecond'
    | 'guard'
    | 'pausedBy'
    | 'endedAtMs'
    | 'skipped'
    | 'looked'
    | 'freedBytes'
  >
>;

export interface ParkingRows {
  add(id: string, request: ParkRequest, atMs: number): Promise<void>;
  change(id: string, change: ParkingChange): Promise<void>;
  one(id: string): Promise<Parking | null>;
  /** Newest first. */
  list(filter: {
    readonly instance?: string;
    readonly queue?: string;
    readonly limit: number;
  }): Promise<readonly Parking[]>;
  /** Those that have not come to an end, oldest first: a console that starts takes them up. */
  open(): Promise<readonly Parking[]>;
}

const COLUMNS: Readonly<Record<keyof ParkingChange, string>> = {
  phase: 'phase',
  state: 'state',
  because: 'because',
  ratePerSecond: 'rate_per_second',
  guard: 'guard',
  pausedBy: 'paused_by',
  endedAtMs: 'ended_at_ms',
  skipped: 'skipped',
  looked: 'looked',
  freedBytes: 'freed_bytes',
};

/** Rows on disk that Redis does not hold for sure: what is confirmed there is on its way out. */
const SELECT = `SELECT parking.*, (SELECT count(*) FROM parked_job WHERE parked_job.parking = parking.id
  AND row_state IN ('removed', 'restoring')) AS remaining FROM parking`;

export function parkingRows(client: Client): ParkingRows {
  const select = async (rest: string, args: (string | number)[]): Promise<readonly Parking[]> =>
    (await client.execute({ sql: `${SELECT} ${rest}`, args })).rows.map(parkingOf);
  return {
    async add(id, request, atMs) {
      await client.execute({
        sql: `INSERT INTO parking (id, instance, queue, states, job_types, most, reason, actor, origin, started_at_ms, phase, state)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'park', 'running')`,
        args: [
          id,
          request.instance,
          request.queue,
          JSON.stringify(request.states),
          request.jobTypes === null ? null : JSON.stringify(request.jobTypes),
          request.most,
          request.reason,
          request.actor,
          request.origin,
          atMs,
        ],
      });
    },
    async change(id, change) {
      const names = Object.keys(change) as (keyof ParkingChange)[];
      if (names.length === 0) return;
      const values = names.map((name) =>
        name === 'skipped'
          ? JSON.stringify(change.skipped)
          : name === 'guard'
            ? Number(change.guard)
            : (change[name] ?? null),
      ) as (string | number | null)[];
      await client.execute({
        sql: `UPDATE parking SET ${names.map((name) => `${COLUMNS[name]} = ?`).join(', ')} WHERE id = ?`,
        args: [...values, id],
      });
    },
    async one(id) {
      return (await select('WHERE id = ?', [id]))[0] ?? null;
    },
    async list({ instance, queue, limit }) {
      const where = [
        ...(instance === undefined ? [] : (['instance', instance] as const)),
        ...(queue === undefined ? [] : (['queue', queue] as const)),
      ];
      const names = where.filter((_, i) => i % 2 === 0);
      const clause = names.length > 0 ? `WHERE ${names.map((name) => `${name} = ?`).join(' AND ')}` : '';
      return select(`${clause} ORDER BY started_at_ms DESC, rowid DESC LIMIT ?`, [
        ...where.filter((_, i) => i % 2 === 1),
        limit,
      ]);
    },
    open: () => select("WHERE state IN ('running', 'paused') ORDER BY rowid", []),
  };
}

function parkingOf(row: Row): Parking {
  const number = (name: string): number => Number(row[name] ?? 0);
  const orNull = (name: string): number | null => (row[name] === null ? null : Number(row[name]));
  const text = (name: string): string => String(row[name]);
  return {
    id: text('id'),
    instance: text('instance'),
    queue: text('queue'),
    states: JSON.parse(text('states')) as Parking['states'],
    jobTypes: row.job_types === null ? null : (JSON.parse(text('job_types')) as readonly string[]),
    most: orNull('most'),
    reason: text('reason'),
    actor: text('actor'),
    origin: text('origin') as Parking['origin'],
    startedAtMs: number('started_at_ms'),
    endedAtMs: orNull('ended_at_ms'),
    phase: text('phase') as ParkingPhase,
    state: text('state') as ParkingState,
    because: row.because === null ? null : text('because'),
    ratePerSecond: orNull('rate_per_second'),
    guard: number('guard') === 1,
    pausedBy: row.paused_by === null ? null : (text('paused_by') as Parking['pausedBy']),
    // Known to the task that works on it: see parkings.ts.
    pacePerSecond: null,
    paceReason: null,
    looked: number('looked'),
    parked: number('parked'),
    freedBytes: number('freed_bytes'),
    skipped: JSON.parse(text('skipped')) as Skipped,
    restored: number('restored'),
    existed: number('existed'),
    fellBack: number('fell_back'),
    remaining: number('remaining'),
  };
}

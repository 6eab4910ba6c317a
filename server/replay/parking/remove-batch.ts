import type { QueueHandle } from '../../redis/queue-control.js';
import { digestOf } from './fields.js';
import type { ParkedJob } from './parking.js';
import type { ParkingSource } from './read-window.js';
import { receiptsKey, runParkingScript } from './run-script.js';

export interface RemoveCall {
  readonly batch: string;
  readonly source: ParkingSource;
  /** Where the window began, and how many it had. */
  readonly offset: number;
  readonly searched: number;
  readonly jobs: readonly ParkedJob[];
}

/**
 * Takes jobs that are on disk out of Redis, in one step.
 * @returns the receipt: a letter a job, '1' gone, '0' left.
 * @throws what Redis or the network says; then settleBatch tells what came of it.
 */
export async function removeBatch(queue: QueueHandle, call: RemoveCall): Promise<string> {
  const shapes = new Map<string, { readonly number: number; readonly names: readonly Buffer[] }>();
  const perJob: (string | number | Buffer)[] = [];
  for (const job of call.jobs) {
    const names = job.fields.filter((_, i) => i % 2 === 0);
    const shape = names.map((name) => name.toString('latin1')).join('\0');
    const known = shapes.get(shape) ?? { number: shapes.size + 1, names };
    shapes.set(shape, known);
    perJob.push(job.jobId, job.score, known.number, digestOf(job.fields));
  }
  const answer = await runParkingScript(
    queue,
    'remove-jobs',
    [receiptsKey(queue.id), call.source.key],
    [
      `${queue.id}:`,
      call.batch,
      call.source.kind,
      call.offset,
      call.searched,
      `spillway:gone:${call.batch}`,
      shapes.size,
      ...[...shapes.values()].flatMap(({ names }) => [names.length, ...names]),
      ...perJob,
    ],
  );
  return String(answer);
}

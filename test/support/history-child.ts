import { startHistory } from './history.js';
import { aQueue } from './snapshot.js';

/**
 * A process that keeps the history of 200 queues without end, a second after another as fast as it can, to be killed:
 * `node history-child.js <directory> <from ms>`. It prints each second that it has begun; the backlog of every queue is
 * the number of that second.
 */
const [directory, fromMs] = process.argv.slice(2);
if (directory === undefined || fromMs === undefined) throw new Error('directory, from ms');
const bench = await startHistory({ directory, nowMs: Number(fromMs) });
for (;;) {
  const backlog = (bench.nowMs / 1000) % 100;
  await bench.tick(
    Array.from({ length: 200 }, (_, i) => aQueue({ id: `bull:q${i}`, name: `q${i}`, backlog })),
  );
  process.stdout.write(`${bench.nowMs}\n`);
  bench.nowMs += 1_000;
}

import { parkRequest, startParking } from './parking-bench.js';
import { until } from './until.js';

/**
 * A process that parks and brings back without end, to be killed: `node parking-child.js <port> <directory> <queue id>`.
 * It takes up what a former one left.
 */
const [port, directory, queue] = process.argv.slice(2);
if (port === undefined || directory === undefined || queue === undefined)
  throw new Error('port, directory, queue');
const bench = await startParking({ port: Number(port), directory });
process.stdout.write('started\n');
for (;;) {
  const [newest] = await bench.parkings.list({ limit: 1 });
  if (newest?.state === 'running') {
    await bench.parkings.settled(newest.id, 60_000);
    await until('it rests', async () => (await bench.parkings.get(newest.id)).state !== 'running', {
      withinMs: 60_000,
    });
  } else if (newest?.phase === 'park')
    await bench.parkings.restore(newest.id, { ratePerSecond: null, guard: false });
  else await bench.parkings.begin(parkRequest(queue));
}

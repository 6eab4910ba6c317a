import { parseArgs } from 'node:util';
import { failedDeploy } from './failed-deploy.js';
import { fullRedis } from './full-redis.js';
import { fullRedisPolicy } from './full-redis-policy.js';
import { noisyNeighbour } from './noisy-neighbour.js';
import { overloadedLayer } from './overloaded-layer.js';
import { MB } from './own-redis.js';
import { type Drill, runDrill } from './run.js';
import { silentSubscriber } from './silent-subscriber.js';

/**
 * `npm run drill`: incidents as worlds that can be played, with a real Redis, workers and console. `run.ts` says what a drill
 * is and plays one, and each is a file that begins with its Drill; `children/` are the processes that it starts. A drill
 * looks at the console by its public API (`api.ts`) alone. To add one: one file, and one line here.
 */

const DRILLS: readonly Drill[] = [
  fullRedis,
  fullRedisPolicy,
  overloadedLayer,
  noisyNeighbour,
  silentSubscriber,
  failedDeploy,
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    auto: { type: 'boolean', default: false },
    port: { type: 'string', default: '3000' },
    maxmemory: { type: 'string' },
    jobs: { type: 'string' },
  },
});
const drill = DRILLS.find(({ name }) => name === positionals[0]);

if (!drill) {
  console.error('npm run drill <name> -- [--auto] [--port 3000] [--maxmemory MEGABYTES] [--jobs COUNT]\n');
  for (const { name, about } of DRILLS) console.error(`  ${name.padEnd(18)}${about}`);
  process.exitCode = 2;
} else {
  const activity = await runDrill(drill, {
    isAuto: values.auto,
    port: Number(values.port) || 3000,
    maxmemoryBytes: Number(values.maxmemory) * MB || null,
    jobs: Number(values.jobs) || null,
    print: console.log,
  });
  const failures = activity.failures().length;
  if (values.auto)
    console.log(failures === 0 ? '\nResolved; every check holds.' : `\n${failures} checks failed.`);
  // What the incident was still waiting for when it was asked to end must not keep the process.
  process.exit(failures === 0 ? 0 : 1);
}

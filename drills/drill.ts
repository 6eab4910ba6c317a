import { parseArgs } from 'node:util';
import { DRILLS, findDrill } from './index.js';
import { runDrill } from './run.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    auto: { type: 'boolean', default: false },
    port: { type: 'string', default: '3000' },
    maxmemory: { type: 'string' },
    jobs: { type: 'string' },
  },
});
const drill = findDrill(positionals[0] ?? '');

if (!drill) {
  console.error('npm run drill <name> -- [--auto] [--port 3000] [--maxmemory MEGABYTES] [--jobs COUNT]\n');
  for (const { name, about } of DRILLS) console.error(`  ${name.padEnd(18)}${about}`);
  process.exitCode = 2;
} else {
  const megabytes = Number(values.maxmemory);
  const jobs = Number(values.jobs);
  const account = await runDrill(drill, {
    isAuto: values.auto,
    port: Number(values.port) || 3000,
    ...(megabytes > 0 ? { maxmemoryBytes: megabytes * 1024 * 1024 } : {}),
    ...(jobs > 0 ? { jobs } : {}),
    print: console.log,
  });
  const failures = account.failures().length;
  if (values.auto)
    console.log(failures === 0 ? '\nResolved; every check holds.' : `\n${failures} checks failed.`);
  // What the incident was still waiting for when it was asked to end must not keep the process.
  process.exit(failures === 0 ? 0 : 1);
}

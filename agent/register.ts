/**
 * The agent without a line of code: `node --import spillway-agent/register app.js`, or `--require`. Every worker of BullMQ
 * that the process runs is attached, with options from the environment (SPILLWAY_AGENT_*).
 *
 * BullMQ is CommonJS for Node, however an application imports it, so that one place sees every copy of it being loaded.
 */
import Module from 'node:module';
import { optionsOfEnvironment, warn } from './options.js';
import type { AttachableWorker } from './worker-shape.js';

/** Of BullMQ 5 and 6, also under another name (`bullmq-v5`) and as pnpm lays it out. */
const WORKER_FILE = /[\\/]bullmq[^\\/]*[\\/]dist[\\/]cjs[\\/]classes[\\/]worker\.js$/;

interface WorkerClass {
  readonly prototype: { run?: (this: AttachableWorker, ...args: unknown[]) => unknown };
}

type Loader = (module: { readonly exports: unknown }, filename: string) => unknown;

const loaders = (Module as unknown as { readonly _extensions: Record<string, Loader> })._extensions;
const load = loaders['.js'];
if (load)
  loaders['.js'] = (module, filename) => {
    const result = load(module, filename);
    if (WORKER_FILE.test(filename)) follow((module.exports as { readonly Worker?: WorkerClass }).Worker);
    return result;
  };

const { options, problems } = optionsOfEnvironment(process.env);
for (const problem of problems) warn(`spillway-agent: ${problem}`);

/** Attaches each worker of this class when it begins to run, which most do as they are made. */
function follow(workerClass: WorkerClass | undefined): void {
  const run = workerClass?.prototype.run;
  if (!workerClass || typeof run !== 'function') {
    warn('spillway-agent/register: this BullMQ has no Worker that it knows: call attach(worker) instead');
    return;
  }
  workerClass.prototype.run = function (...args) {
    // When whoever made it has had its turn: what they attach themselves, with options of their own, goes before. A job can't
    // have come by then. Loaded here, as a process that runs no worker has no need of it.
    process.nextTick(() => void import('./attach.js').then(({ attach }) => attach(this, options)));
    return run.apply(this, args);
  };
}

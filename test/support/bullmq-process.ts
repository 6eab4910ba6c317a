import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packagePath } from '../../server/process/package-path.js';
import { until } from './until.js';

export interface WorkerOptions {
  readonly version: 5 | 6;
  readonly port: number;
  readonly queue: string;
  readonly prefix?: string;
  /** How long a job takes unless its data says `ms`. */
  readonly jobMs?: number;
  /** Up to so much more or less, at random. */
  readonly jitterMs?: number;
  /** Jobs send by a client that batches, and wait for that only. Uses the compiled one: build first. */
  readonly batch?: { readonly size: number; readonly waitMs: number };
  /** As the Worker takes them: concurrency, limiter, … */
  readonly options?: Readonly<Record<string, unknown>>;
}

interface StartedJob {
  readonly jobId: string;
  readonly atMs: number;
  /** When Redis gave the job to the worker: where the connection broke just then, it may begin a second later. */
  readonly takenAtMs: number;
  /** How often BullMQ had taken the job back from a worker by then. */
  readonly stalls: number;
}

/** A BullMQ worker in a process of its own. */
export interface WorkerProcess {
  /** Jobs in the order in which they were started. */
  readonly started: readonly StartedJob[];
  readonly finished: readonly string[];
  /** `error` events: what a worker says when Redis refuses it. */
  readonly errors: number;
  stop(): Promise<void>;
}

/** Starts a worker and waits until it is connected. */
export async function startWorker(settings: WorkerOptions): Promise<WorkerProcess> {
  const started: StartedJob[] = [];
  const finished: string[] = [];
  let errors = 0;
  let isReady = false;
  const script = join(packagePath('test'), 'support', 'bullmq-worker.mjs');
  const child = spawn(process.execPath, [script, JSON.stringify({ jobMs: 5, ...settings })], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    const said = JSON.parse(line) as StartedJob & { readonly kind: string };
    if (said.kind === 'ready') isReady = true;
    if (said.kind === 'start') {
      const { jobId, atMs, takenAtMs, stalls } = said;
      started.push({ jobId, atMs, takenAtMs, stalls });
    }
    if (said.kind === 'done' || said.kind === 'failed') finished.push(said.jobId);
    if (said.kind === 'error') errors += 1;
  });
  await until(`worker of BullMQ ${settings.version} connected`, () => isReady, { withinMs: 60_000 });
  return {
    started,
    finished,
    get errors() {
      return errors;
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      child.kill('SIGKILL');
      await gone;
    },
  };
}

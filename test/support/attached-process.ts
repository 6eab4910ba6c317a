import { type ChildProcess, fork } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { AttachOptions } from '../../agent/index.js';
import { packagePath } from '../../server/process/package-path.js';

interface AttachedWorkerPlan {
  readonly queue: string;
  /** Of BullMQ; 6 unless said. */
  readonly version?: 5 | 6;
  readonly count?: number;
  readonly concurrency?: number;
  /** How long a job takes unless its data says `ms`. Data may also say `fail`, `hang`, `blockMs`, or the `untilFile` whose coming it waits for. */
  readonly jobMs?: number;
  readonly failing?: boolean;
  /** Port of the worker's own connections, where it is not the plan's (a proxy, say). */
  readonly port?: number;
  /** A file, for a sandboxed processor. */
  readonly processorFile?: string;
  readonly options?: Readonly<Record<string, unknown>>;
  /** What the worker reaches Redis by, where that is not ioredis 6. */
  readonly client?: 'ioredis5' | 'node-redis' | 'glide' | 'bun';
  /** How its `onProblem` fails when it is called with one. */
  readonly problemFails?: 'throws' | 'rejects';
  /** The agent of an earlier version. */
  readonly agent?: '0.2.0';
  /** null: no agent. `connectTo`: the port that the agent's own connections go to. */
  readonly attach: (Omit<AttachOptions, 'connection' | 'onProblem'> & { readonly connectTo?: number }) | null;
}

export interface AttachedPlan {
  readonly port?: number;
  readonly sentinels?: readonly { readonly host: string; readonly port: number }[];
  readonly master?: string;
  /** Nodes of a Cluster; the workers' options then need a prefix with a hash tag. */
  readonly cluster?: readonly { readonly host: string; readonly port: number }[];
  readonly mayOutlive?: boolean;
  /** Its clock is so far ahead of everybody else's. */
  readonly clockAheadMs?: number;
  /** Descriptors that the process may have. */
  readonly mostFiles?: number;
  readonly workers: readonly AttachedWorkerPlan[];
}

interface WorkerSaid {
  readonly id: string | null;
  readonly concurrency: number;
  readonly isPaused: boolean;
  readonly limiter: { readonly max: number; readonly duration: number } | null;
  readonly errors: number;
  readonly oom: number;
  readonly started: number;
  readonly completed: number;
  readonly listeners: number;
}

/** What the process has used so far, and what it holds now. */
export interface Usage {
  readonly cpuMs: number;
  /** By its own steady clock. */
  readonly atMs: number;
  /** Sockets, timers and other handles. */
  readonly resources: number;
  /** Of all events of its workers. */
  readonly listeners: number;
}

/** A process of an application with workers, some with the agent. */
export interface AttachedProcess {
  readonly pid: number;
  /** The agent's ids of its workers, in the plan's order; null without the agent. */
  readonly ids: readonly (string | null)[];
  readonly child: ChildProcess;
  state(): Promise<{
    readonly workers: readonly WorkerSaid[];
    readonly problems: readonly string[];
    /** How often a processor that gives back a query (job data `lazy`) had it run. */
    readonly lazyRuns: number;
  }>;
  usage(): Promise<Usage>;
  /** `exhaust`, `health {idleSeconds, stuckSeconds}`, `setClock {aheadMs}`, `hang`, `slow {factor}`, `block {ms}`, `setConcurrency {value}`, `stiffen`, `pause`, `detach`, `attachAgain`, `close`, `forget`. */
  tell(order: string, args?: Readonly<Record<string, unknown>>): Promise<unknown>;
  signal(signal: NodeJS.Signals): void;
  /** SIGKILL, and waits for the end. */
  stop(): Promise<void>;
}

const ANSWER_WITHIN_MS = 30_000;
const READY_WITHIN_MS = 60_000;

/** Its package brings a program for each kind of machine; the link to the right one is made by a script that is not run here. */
function bunPath(): string {
  const home = packagePath('node_modules/@oven');
  const found = readdirSync(home).find((name) => name.startsWith(`bun-${process.platform}-${process.arch}`));
  return join(home, found ?? '', 'bin', 'bun');
}

/** Starts it and waits until its workers are connected. Uses the compiled agent: build first. */
export async function startAttached(plan: AttachedPlan): Promise<AttachedProcess> {
  const script = join(packagePath('test'), 'support', 'attached-worker.mjs');
  const child = fork(script, [JSON.stringify(plan)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    // Bun's client is there in Bun alone.
    ...(plan.workers.some(({ client }) => client === 'bun') ? { execPath: bunPath() } : {}),
    ...(plan.mostFiles
      ? {
          execPath: '/bin/sh',
          execArgv: ['-c', `ulimit -n ${plan.mostFiles}; exec "$0" "$@"`, process.execPath],
        }
      : {}),
  });
  const open = new Map<number, (answer: unknown) => void>();
  let serial = 0;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const ids = await new Promise<readonly (string | null)[]>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`workers were not ready within ${READY_WITHIN_MS} ms`)),
      READY_WITHIN_MS,
    );
    child.once('exit', (code, signal) => reject(new Error(`workers ended early (${signal ?? code})`)));
    child.on(
      'message',
      (said: { ready?: true; ids?: readonly (string | null)[]; serial?: number; answer?: unknown }) => {
        if (said.ready) {
          clearTimeout(timer);
          resolve(said.ids ?? []);
        } else if (said.serial !== undefined) open.get(said.serial)?.(said.answer);
      },
    );
  });
  const tell = (order: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> =>
    new Promise((resolve, reject) => {
      serial += 1;
      const mine = serial;
      const timer = setTimeout(
        () => reject(new Error(`${order} was not answered in time`)),
        ANSWER_WITHIN_MS,
      );
      open.set(mine, (answer) => {
        clearTimeout(timer);
        open.delete(mine);
        resolve(answer);
      });
      child.send({ serial: mine, order, args });
    });
  return {
    pid: child.pid ?? 0,
    ids,
    child,
    state: () => tell('state') as ReturnType<AttachedProcess['state']>,
    usage: () => tell('usage') as Promise<Usage>,
    tell,
    signal: (signal) => void child.kill(signal),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await gone;
    },
  };
}

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../drills/own-redis.js';
import { packagePath } from '../../server/process/package-path.js';
import { until } from './until.js';

/** The console as users run it: a process of its own, from dist/. */
export interface RunningConsole {
  readonly url: string;
  readonly dataDirectory: string;
  readonly pid: number;
  /** Everything it has written to stdout and stderr so far. */
  output(): string;
  /** Sends JSON (or nothing) and gives status, headers and parsed body. */
  ask(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer>;
  signal(signal: NodeJS.Signals): Promise<number | null>;
  stop(): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Parsed JSON of any shape: tests look into it by name. null for other content. */
  readonly body: ReturnType<typeof JSON.parse>;
}

interface ConsoleOptions {
  /** Left out where the config file names the instances. */
  readonly redisUrl?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** Kept by the caller; a fresh one that is removed at the end otherwise. */
  readonly dataDirectory?: string;
  /** Of another user to run it as. */
  readonly uid?: number;
  /** A free one otherwise. */
  readonly port?: number;
}

/** Starts it on a free port and waits until it is ready. */
export async function startConsole(options: ConsoleOptions): Promise<RunningConsole> {
  const port = options.port ?? (await freePort());
  const dataDirectory = options.dataDirectory ?? (await mkdtemp(join(tmpdir(), 'spillway-data-')));
  const args = [
    '--port',
    String(port),
    '--data',
    dataDirectory,
    ...(options.redisUrl === undefined ? [] : ['--redis', options.redisUrl]),
    ...(options.args ?? []),
  ];
  const child = spawn(packagePath('server/spillway.sh'), args, {
    env: { PATH: process.env.PATH, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.uid === undefined ? {} : { uid: options.uid }),
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output += chunk;
  });
  const url = `http://127.0.0.1:${port}`;
  try {
    await until('the console is ready', async () => (await fetch(`${url}/readyz`)).ok, { withinMs: 60_000 });
  } catch (error) {
    await endOf(child, 'SIGKILL');
    throw new Error(`${error instanceof Error ? error.message : ''}; it wrote: ${output}`);
  }
  return {
    url,
    dataDirectory,
    pid: child.pid ?? 0,
    output: () => output,
    ask: (method, path, body, headers) => ask(`${url}${path}`, method, body, headers),
    signal: (signal) => endOf(child, signal),
    async stop() {
      await endOf(child, 'SIGTERM');
      if (options.dataDirectory === undefined) await rm(dataDirectory, { recursive: true, force: true });
    },
  };
}

async function ask(
  url: string,
  method: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const response = await fetch(url, {
    method,
    redirect: 'manual',
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson ? JSON.parse(text) : null,
  };
}

async function endOf(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const gone = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
  const code = await gone;
  clearTimeout(timer);
  return code;
}

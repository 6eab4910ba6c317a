import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningConsole, startConsole } from './console.js';
import { until } from './until.js';

/** Two consoles on one data directory, or on one PostgreSQL, as processes of their own. */
export interface TwoConsoles {
  readonly dataDirectory: string;
  /** The one that moves jobs. */
  holder(): Promise<RunningConsole>;
  /** The other one. */
  other(): Promise<RunningConsole>;
  /** Starts another one in the place of one that was killed. */
  replace(gone: RunningConsole): Promise<RunningConsole>;
  stop(): Promise<void>;
}

/**
 * @param queues ids, named so that they need not be discovered.
 * @param storeUrl given: what they share is there, and each has a directory of its own.
 */
export async function startTwoConsoles(
  redisUrl: string,
  queues: readonly string[],
  storeUrl: string | null = null,
): Promise<TwoConsoles> {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'spillway-two-'));
  const config = join(dataDirectory, 'spillway.yaml');
  const instances = [{ name: 'default', url: redisUrl, queues }];
  const store = storeUrl === null ? {} : { store: { url: storeUrl } };
  await writeFile(config, JSON.stringify({ instances, ...store }));
  let started = 0;
  const start = () => {
    started += 1;
    const own = storeUrl === null ? dataDirectory : join(dataDirectory, `console-${started}`);
    return startConsole({ dataDirectory: own, args: ['--config', config, '--log-level', 'warn'] });
  };
  let consoles: readonly RunningConsole[] = [];
  consoles = [await start()];
  consoles = [...consoles, await start()];
  const withLease = async (isHeld: boolean): Promise<RunningConsole> =>
    until(`one ${isHeld ? 'holds' : 'does not hold'} the lease`, async () => {
      for (const one of consoles) {
        const answer = await one.ask('GET', '/api/v1/channels').catch(() => null);
        if (answer?.body?.isSender === isHeld) return one;
      }
      return null;
    });
  return {
    dataDirectory,
    holder: () => withLease(true),
    other: () => withLease(false),
    async replace(gone) {
      const fresh = await start();
      consoles = consoles.map((one) => (one === gone ? fresh : one));
      return fresh;
    },
    async stop() {
      for (const one of consoles) await one.stop();
      await rm(dataDirectory, { recursive: true, force: true });
    },
  };
}

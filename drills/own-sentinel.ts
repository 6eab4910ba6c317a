import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort, type OwnRedis, redisServerBinary, startRedis } from './own-redis.js';
import { waitFor } from './wait-for.js';

const READY_WITHIN_MS = 20_000;

/** A master, a replica and a Sentinel of our own. */
export interface SentinelGroup {
  readonly sentinelPort: number;
  readonly sentinelPid: number;
  readonly masterName: string;
  readonly directory: string;
  readonly master: OwnRedis;
  readonly replica: OwnRedis;
  stop(): Promise<void>;
}

/** A master, a replica and one Sentinel that fails over after half a second. @throws Error when they don't find each other. */
export async function startSentinelGroup(isDetached = false): Promise<SentinelGroup> {
  const master = await startRedis({ isDetached });
  const replica = await startRedis({
    isDetached,
    args: ['--replicaof', '127.0.0.1', String(master.port)],
  });
  const sentinelPort = await freePort();
  const directory = await mkdtemp(join(tmpdir(), 'spillway-sentinel-'));
  const config = join(directory, 'sentinel.conf');
  await writeFile(
    config,
    [
      `port ${sentinelPort}`,
      'bind 127.0.0.1',
      `dir ${directory}`,
      `sentinel monitor main 127.0.0.1 ${master.port} 1`,
      'sentinel down-after-milliseconds main 500',
      'sentinel failover-timeout main 3000',
    ].join('\n'),
  );
  const child: ChildProcess = spawn(redisServerBinary(), [config, '--sentinel'], {
    stdio: 'ignore',
    detached: isDetached,
  });
  const probe = new Redis(sentinelPort, '127.0.0.1', { maxRetriesPerRequest: null });
  probe.on('error', () => undefined);
  const stop = async (): Promise<void> => {
    probe.disconnect();
    child.kill('SIGKILL');
    await master.stop();
    await replica.stop();
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  };
  const isKnown = await waitFor(async () => {
    const replicas = (await probe
      .call('SENTINEL', 'REPLICAS', 'main')
      .catch(() => [])) as readonly (readonly string[])[];
    return replicas.some(
      (entry) => entry.includes(String(replica.port)) && entry[entry.indexOf('flags') + 1] === 'slave',
    );
  }, READY_WITHIN_MS);
  const isInStep = await waitFor(
    async () => (await replica.client.info('replication')).includes('master_link_status:up'),
    READY_WITHIN_MS,
  );
  if (!isKnown || !isInStep) {
    await stop();
    throw new Error('master, replica and Sentinel did not find each other');
  }
  return { sentinelPort, sentinelPid: child.pid ?? 0, masterName: 'main', directory, master, replica, stop };
}

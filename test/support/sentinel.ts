import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort, type OwnRedis, redisServerBinary, startRedis } from '../../drills/own-redis.js';
import { until } from './until.js';

export interface SentinelGroup {
  readonly sentinelPort: number;
  readonly masterName: string;
  readonly master: OwnRedis;
  readonly replica: OwnRedis;
  stop(): Promise<void>;
}

/** A master, a replica and one Sentinel that fails over after half a second. */
export async function startSentinelGroup(): Promise<SentinelGroup> {
  const master = await startRedis();
  const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(master.port)] });
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
  const child = spawn(redisServerBinary(), [config, '--sentinel'], { stdio: 'ignore' });
  const probe = new Redis(sentinelPort, '127.0.0.1', { maxRetriesPerRequest: null });
  probe.on('error', () => undefined);
  const stop = async (): Promise<void> => {
    probe.disconnect();
    child.kill('SIGKILL');
    await master.stop();
    await replica.stop();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await until('the sentinel knows the replica', async () => {
      const replicas = (await probe.call('SENTINEL', 'REPLICAS', 'main')) as readonly (readonly string[])[];
      return replicas.some(
        (entry) => entry.includes(String(replica.port)) && entry[entry.indexOf('flags') + 1] === 'slave',
      );
    });
    await until('the replica is in step', async () =>
      (await replica.client.info('replication')).includes('master_link_status:up'),
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return { sentinelPort, masterName: 'main', master, replica, stop };
}

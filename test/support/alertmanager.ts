import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../drills/own-redis.js';
import { until } from './until.js';

/** An alert as Alertmanager gives it back. */
interface KnownAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly generatorURL: string;
  readonly status: { readonly state: string };
}

/** A real Alertmanager of Debian's package; `ALERTMANAGER_BIN` where it is elsewhere. */
export interface RunningAlertmanager {
  readonly url: string;
  /** Those that fire now. */
  active(): Promise<readonly KnownAlert[]>;
  stop(): Promise<void>;
}

/** @param webhookUrl notified of what begins and ends, as its own receivers are. */
export async function startAlertmanager(webhookUrl: string): Promise<RunningAlertmanager> {
  const directory = await mkdtemp(join(tmpdir(), 'spillway-am-'));
  const config = join(directory, 'alertmanager.yml');
  await writeFile(
    config,
    `route: { receiver: hook, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h }
receivers: [{ name: hook, webhook_configs: [{ url: "${webhookUrl}", send_resolved: true }] }]
`,
  );
  const port = await freePort();
  const child = spawn(
    process.env.ALERTMANAGER_BIN ?? 'prometheus-alertmanager',
    [
      `--config.file=${config}`,
      `--storage.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let output = '';
  child.stderr.on('data', (chunk) => {
    output += chunk;
  });
  child.on('error', (error) => {
    output += error.message;
  });
  const url = `http://127.0.0.1:${port}`;
  const stop = async () => {
    const gone = new Promise((resolve) => child.once('exit', resolve));
    if (child.exitCode === null && child.kill('SIGKILL')) await gone;
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await until('Alertmanager is ready', async () => (await fetch(`${url}/-/ready`)).ok);
  } catch (error) {
    await stop();
    throw new Error(`${error instanceof Error ? error.message : ''}; it wrote: ${output.slice(-2_000)}`);
  }
  return {
    url,
    active: async () => {
      const response = await fetch(`${url}/api/v2/alerts?active=true`);
      return (await response.json()) as readonly KnownAlert[];
    },
    stop,
  };
}

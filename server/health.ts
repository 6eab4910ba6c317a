import { z } from 'zod';
import type { Config } from './config/config.js';

/** Whoever runs this has given up by then: Docker's HEALTHCHECK and an exec probe of Kubernetes are told 5 s. */
const ANSWER_WITHIN_MS = 4_000;

const ReadySchema = z.object({ status: z.literal('ok'), instances: z.record(z.string(), z.string()) });

/**
 * Asks the console that runs with these settings whether it is ready. It is while a Redis is down, too: a restart would
 * not bring that one back.
 * @example await askHealth({ host: '0.0.0.0', port: 3000 }) // { isReady: true, text: 'ready; default is live' }
 */
export async function askHealth(config: Pick<Config, 'host' | 'port'>): Promise<{
  readonly isReady: boolean;
  readonly text: string;
}> {
  const url = `http://${addressToAsk(config.host)}:${config.port}/readyz`;
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS), redirect: 'error' });
    const ready = ReadySchema.safeParse(await answer.json().catch(() => null));
    if (!answer.ok || !ready.success)
      return { isReady: false, text: `${url} answers ${answer.status}, not as a console that is ready` };
    const states = Object.entries(ready.data.instances).map(([name, status]) => `${name} is ${status}`);
    return { isReady: true, text: ['ready', ...states].join('; ') };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return {
      isReady: false,
      text: `${url} does not answer: ${cause instanceof Error ? cause.message : cause}`,
    };
  }
}

/** Bound to every address, it is at this machine's own. */
function addressToAsk(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

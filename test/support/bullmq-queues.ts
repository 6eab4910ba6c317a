import { Queue as QueueV6 } from 'bullmq';
import { Queue as QueueV5 } from 'bullmq-v5';

/** A Redis that is gone answers nobody. */
const READY_WITHIN_MS = 1_000;

export interface BothVersions {
  readonly v5: QueueV5;
  readonly v6: QueueV6;
  close(): Promise<void>;
}

/** The same queue opened by BullMQ 5 and by BullMQ 6, as two services of one system may. */
export function openBoth(port: number, name: string, prefix = 'bull'): BothVersions {
  const connection = { port, host: '127.0.0.1', maxRetriesPerRequest: null };
  const v5 = new QueueV5(name, { connection, prefix });
  const v6 = new QueueV6(name, { connection, prefix, skipMetasUpdate: true });
  // What a refused call says is what the test awaits; as an event it would end the process.
  v5.on('error', () => undefined);
  v6.on('error', () => undefined);
  return {
    v5,
    v6,
    close: async () => {
      // BullMQ 5 writes its settings as soon as it is connected: closed before that, it rejects to nobody.
      const late = new Promise((resolve) => setTimeout(resolve, READY_WITHIN_MS));
      await Promise.race([v5.waitUntilReady().catch(() => undefined), late]);
      await Promise.all([v5.close(), v6.close()]);
    },
  };
}

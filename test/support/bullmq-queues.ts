import { Queue as QueueV6 } from 'bullmq';
import { Queue as QueueV5 } from 'bullmq-v5';

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
      await Promise.all([v5.close(), v6.close()]);
    },
  };
}

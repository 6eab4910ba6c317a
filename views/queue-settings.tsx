import type { FC } from 'hono/jsx';
import { formatCount, formatRateLimit } from '../server/model/format.js';
import type { QueueState } from '../server/model/snapshot.js';
import { plainName } from '../server/model/words.js';
import { SettingLink } from './controls.js';
import { actionPath } from './links.js';
import { Facts } from './state.js';
import { UNKNOWN } from './words.js';
import { orderInWords } from './worker-words.js';

interface QueueSettingsProps {
  readonly queue: QueueState;
  readonly instance: string;
  readonly canAct: boolean;
  readonly nowMs: number;
}

const MAX_ORDERS = 20;

/** What is set for a queue, by whom where that is known, and where it is changed. */
export const QueueSettings: FC<QueueSettingsProps> = ({ queue, instance, canAct, nowMs }) => {
  const { concurrency, rateLimit } = queue;
  const limit = rateLimit === null ? 'none' : formatRateLimit(rateLimit.max, rateLimit.durationMs);
  const most = concurrency === null ? 'unlimited' : formatCount(concurrency);
  const link = (action: string): string | null =>
    canAct ? actionPath({ action, instance, queues: [queue.id] }) : null;
  return (
    <section id="queue-settings" class="panel" aria-labelledby="settings-title">
      <h2 id="settings-title">Settings</h2>
      <p>
        Global concurrency{' '}
        <SettingLink
          value={most}
          label={`Change the global concurrency, now ${most}`}
          href={link('queue.concurrency')}
        />
      </p>
      <p>
        Rate limit{' '}
        <SettingLink
          value={limit}
          label={`Change the rate limit, now ${limit}`}
          href={link('queue.rate-limit')}
        />
      </p>
      {queue.overrides.length === 0 ? null : (
        <ul class="fleet-orders" aria-label="Overrides of its workers">
          {queue.overrides.slice(0, MAX_ORDERS).map((order) => (
            <li>
              {order.scope === '*' ? 'All workers' : plainName(order.scope)}: {orderInWords(order, nowMs)}
            </li>
          ))}
        </ul>
      )}
      <Facts
        facts={[
          { label: 'Prefix', value: plainName(queue.prefix) },
          {
            label: 'BullMQ',
            value: plainName(queue.bullmqVersion?.replace('bullmq:', '') ?? UNKNOWN),
            hint: 'Of whoever opened the queue last',
          },
        ]}
      />
    </section>
  );
};

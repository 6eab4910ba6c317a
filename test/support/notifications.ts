import type { AlertNotice, Notification } from '../../server/alerts/notification.js';
import { NOW_MS } from './snapshot.js';

/** One alert: Redis is nearly full, since a minute. */
export function aNotice(over: Partial<AlertNotice> = {}): AlertNotice {
  return {
    fingerprint: 'f-1',
    alertId: 'a-1',
    rule: 'RedisNearlyFull',
    severity: 'critical',
    subject: { instance: 'shop', node: '10.0.0.5:6379', queue: null, type: null },
    status: 'firing',
    startsAtMs: NOW_MS - 60_000,
    endsAtMs: null,
    headline: 'Redis is full in 3 min',
    cause: 'Pending track jobs of analytics take 470 MB, 92% of its memory.',
    effect: 'Once it is full, producers are rejected and idle workers stop.',
    action: 'Make room, drain faster, or add fewer jobs.',
    evidence: '92% of 512 MB',
    runbookUrl: 'https://runbooks.example.com/redis-full',
    ...over,
  };
}

/** What the rule engine hands over: one group with one alert. */
export function aNotification(over: Partial<Notification> = {}): Notification {
  const status = over.status ?? 'firing';
  return {
    id: 'n-1',
    groupKey: 'redis.full|shop',
    status,
    severity: 'critical',
    instance: 'shop',
    headline: 'Redis is nearly full',
    sinceMs: NOW_MS - 60_000,
    alerts: [
      aNotice({
        status: status === 'resolved' ? status : 'firing',
        endsAtMs: status === 'resolved' ? NOW_MS : null,
      }),
    ],
    firstRemedy: 'Trim events of analytics: frees about 80 MB',
    path: '/#finding-redis.full',
    createdAtMs: NOW_MS,
    ...over,
  };
}

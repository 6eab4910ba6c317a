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
    summary: 'Redis shop holds 470 MB of 512 MB and is full in 3 min',
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
    title: 'Redis is nearly full',
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

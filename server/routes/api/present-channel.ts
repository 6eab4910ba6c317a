import type { z } from '@hono/zod-openapi';
import { destinationOf } from '../../alerts/channels/channel-settings.js';
import type { Messaging } from '../../alerts/messaging.js';
import type { OutboxEntry } from '../../alerts/outbox-store.js';
import type { ChannelsSchema, MessageSchema } from './channel-schemas.js';
import { isoTime } from './iso-time.js';

/** Channels with how they do, without their secrets. */
export async function presentChannels(messaging: Messaging): Promise<z.infer<typeof ChannelsSchema>> {
  const health = new Map((await messaging.outbox.health()).map((one) => [one.channel, one]));
  const deadMan = messaging.deadMan?.state() ?? null;
  return {
    channels: messaging.channels.map(({ settings }) => {
      const known = health.get(settings.name);
      return {
        name: settings.name,
        type: settings.type,
        destination: destinationOf(settings),
        minSeverity: settings.minSeverity,
        instances: [...settings.instances],
        lastSuccessAt: isoOrNull(known?.lastSuccessAtMs),
        lastFailureAt: isoOrNull(known?.lastFailureAtMs),
        lastError: known?.lastError ?? null,
        failuresInRow: known?.failuresInRow ?? 0,
      };
    }),
    deadManSwitch:
      deadMan === null
        ? null
        : {
            everySeconds: deadMan.everySeconds,
            lastBeatAt: isoOrNull(deadMan.lastBeatAtMs),
            problem: deadMan.problem,
          },
    problems: messaging.problems().map(({ code, subject, text }) => ({ code, subject, text })),
    isSender: messaging.lease.isHeld(),
  };
}

export function presentMessage(entry: OutboxEntry): z.infer<typeof MessageSchema> {
  const { seq, channel, state, tries, notification, lastError } = entry;
  const { status, severity, instance, title } = notification;
  return {
    id: seq,
    ...{ channel, state, status, severity, instance, title, tries, lastError },
    notificationId: notification.id,
    createdAt: isoTime(entry.createdAtMs),
    nextTryAt: state === 'pending' || state === 'standing' ? isoTime(entry.nextTryAtMs) : null,
  };
}

function isoOrNull(atMs: number | null | undefined): string | null {
  return atMs == null ? null : isoTime(atMs);
}

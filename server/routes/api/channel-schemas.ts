import { z } from '@hono/zod-openapi';

const at = z.string().nullable();

export const ChannelSchema = z
  .object({
    name: z.string(),
    type: z.enum(['webhook', 'slack', 'pagerduty', 'alertmanager', 'email']),
    destination: z.string().openapi({ description: 'Host or addresses; never what lets its holder in' }),
    minSeverity: z.enum(['critical', 'warning', 'info']),
    instances: z.array(z.string()),
    lastSuccessAt: at,
    lastFailureAt: at,
    lastError: z.string().nullable(),
    failuresInRow: z.number(),
  })
  .openapi('Channel');

export const ChannelsSchema = z.object({
  channels: z.array(ChannelSchema),
  deadManSwitch: z
    .object({ everySeconds: z.number(), lastBeatAt: at, problem: z.string().nullable() })
    .nullable()
    .openapi({ description: 'null: none is configured' }),
  problems: z
    .array(z.object({ code: z.string(), subject: z.string(), text: z.string() }))
    .openapi({ description: 'What is wrong with the console itself' }),
  isSender: z
    .boolean()
    .openapi({ description: 'This console, of several on one store, is the one that sends' }),
});

export const TestResultSchema = z.object({
  ok: z.boolean(),
  problem: z.string().nullable().openapi({ description: 'Why it did not arrive' }),
});

export const MessageSchema = z
  .object({
    id: z.number(),
    channel: z.string(),
    state: z.enum(['pending', 'sending', 'standing', 'sent', 'dead']),
    notificationId: z.string(),
    status: z.enum(['firing', 'acknowledged', 'resolved']),
    severity: z.enum(['critical', 'warning', 'info']),
    instance: z.string(),
    title: z.string(),
    tries: z.number(),
    createdAt: z.string(),
    nextTryAt: z.string().nullable(),
    lastError: z.string().nullable(),
  })
  .openapi('Message');

export const OutboxSchema = z.object({
  counts: z.record(z.string(), z.number()),
  pending: z.array(MessageSchema).openapi({ description: 'Newest first, at most 100' }),
  dead: z.array(MessageSchema).openapi({ description: 'Given up, newest first, at most 100' }),
});

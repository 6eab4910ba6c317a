import { z } from '@hono/zod-openapi';
import type { Delivery } from '../../alerts/channels/channel.js';
import { destinationOf } from '../../alerts/channels/settings.js';
import type { Messaging } from '../../alerts/messaging.js';
import type { OutboxEntry } from '../../alerts/outbox-tables.js';
import { isoTime } from '../../model/json.js';
import type { Actor } from '../../model/role.js';
import type { AppDeps } from '../app-deps.js';
import { requireRole } from '../gate.js';
import { Problem } from '../problem.js';
import { auditOwn } from './audit.js';
import { apiPart, jsonRoute } from './env.js';

type Deps = Pick<AppDeps, 'messaging' | 'audit' | 'now' | 'newId'>;

/** What API and page do to channels and messages, each with its record. @throws Problem 404 for what there is not */
export async function testChannel(deps: Deps, actor: Actor, name: string): Promise<Delivery> {
  const startedAtMs = deps.now();
  const delivery = await deps.messaging.test(name, actor);
  if (delivery === null) throw new Problem(404, 'not-found', `there is no channel ${name.slice(0, 100)}`);
  await auditOwn(deps, actor, {
    action: 'channel.test',
    args: { channel: name },
    summary: delivery.ok ? 'the test arrived' : `the test did not arrive: ${delivery.problem}`,
    isDone: delivery.ok,
    durationMs: deps.now() - startedAtMs,
  });
  return delivery;
}

export async function resendMessage(deps: Deps, actor: Actor, id: number): Promise<void> {
  if (!(await deps.messaging.outbox.resend(id, deps.now()))) throw noSuch(id);
  await auditOwn(deps, actor, {
    ...{ action: 'outbox.resend', args: { message: id }, isDone: true, durationMs: 0 },
    summary: `message ${id} is tried anew`,
  });
}

export async function removeMessage(deps: Deps, actor: Actor, id: number): Promise<void> {
  if (!(await deps.messaging.outbox.remove(id))) throw noSuch(id);
  await auditOwn(deps, actor, {
    ...{ action: 'outbox.remove', args: { message: id }, isDone: true, durationMs: 0 },
    summary: `message ${id} is forgotten`,
  });
}

function noSuch(id: number): Problem {
  return new Problem(404, 'not-found', `there is no message ${id} that this could be done to`);
}

const at = z.string().nullable();

const ChannelSchema = z
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

const ChannelsSchema = z.object({
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

const TestResultSchema = z.object({
  ok: z.boolean(),
  problem: z.string().nullable().openapi({ description: 'Why it did not arrive' }),
});

const MessageSchema = z
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

const OutboxSchema = z.object({
  counts: z.record(z.string(), z.number()),
  pending: z.array(MessageSchema).openapi({ description: 'Newest first, at most 100' }),
  dead: z.array(MessageSchema).openapi({ description: 'Given up, newest first, at most 100' }),
});

/** Channels with how they do, without their secrets. */
async function channelsJson(messaging: Messaging): Promise<z.infer<typeof ChannelsSchema>> {
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

function messageJson(entry: OutboxEntry): z.infer<typeof MessageSchema> {
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

const MAX_LISTED = 100;

const nameParam = z.object({ name: z.string().openapi({ description: 'Configured name of a channel' }) });
const idParam = z.object({
  id: z.coerce.number('must be the number of a message').int().min(0).openapi({ example: 12 }),
});

const listRoute = jsonRoute(
  { method: 'get', path: '/channels', summary: 'Channels, the heartbeat, and how the console itself does' },
  ChannelsSchema,
);
const testRoute = jsonRoute(
  {
    method: 'post',
    path: '/channels/{name}/test',
    summary: 'Send a test message now (admin)',
    request: { params: nameParam },
    middleware: [requireRole('admin')] as const,
  },
  TestResultSchema,
);
const outboxRoute = jsonRoute(
  { method: 'get', path: '/outbox', summary: 'Messages that wait, and those that were given up' },
  OutboxSchema,
);
const resendRoute = jsonRoute(
  {
    method: 'post',
    path: '/outbox/{id}/resend',
    summary: 'Try a message that was given up anew',
    request: { params: idParam },
  },
  z.object({ resent: z.number() }),
);
const removeRoute = jsonRoute(
  {
    method: 'delete',
    path: '/outbox/{id}',
    summary: 'Forget a message that waits or was given up',
    request: { params: idParam },
  },
  z.object({ removed: z.number() }),
);

/** Nothing that a caller sends here names an address: channels come from the configuration alone. */
export function channelsApi(deps: Deps) {
  const { messaging } = deps;
  return apiPart()
    .openapi(listRoute, async (c) => c.json(await channelsJson(messaging), 200))
    .openapi(testRoute, async (c) => {
      const { name } = c.req.valid('param');
      const delivery = await testChannel(deps, c.get('actor'), name);
      return c.json({ ok: delivery.ok, problem: delivery.ok ? null : delivery.problem }, 200);
    })
    .openapi(outboxRoute, async (c) => {
      const { outbox } = messaging;
      const [counts, pending, dead] = await Promise.all([
        outbox.counts(),
        outbox.list(['pending', 'sending'], MAX_LISTED),
        outbox.list(['dead'], MAX_LISTED),
      ]);
      return c.json(
        { counts: { ...counts }, pending: pending.map(messageJson), dead: dead.map(messageJson) },
        200,
      );
    })
    .openapi(resendRoute, async (c) => {
      const { id } = c.req.valid('param');
      await resendMessage(deps, c.get('actor'), id);
      return c.json({ resent: id }, 200);
    })
    .openapi(removeRoute, async (c) => {
      const { id } = c.req.valid('param');
      await removeMessage(deps, c.get('actor'), id);
      return c.json({ removed: id }, 200);
    });
}

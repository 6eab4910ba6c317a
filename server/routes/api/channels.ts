import { z } from '@hono/zod-openapi';
import type { Delivery } from '../../alerts/channels/channel.js';
import { destinationOf } from '../../alerts/channels/settings.js';
import { DeadManSchema } from '../../alerts/dead-man-switch.js';
import type { Messaging } from '../../alerts/messaging.js';
import { MessageFacts, type OutboxEntry } from '../../alerts/outbox-tables.js';
import { HealthOfChannel } from '../../model/console-health.js';
import { jsonWriter, TimeSchema } from '../../model/json.js';
import type { ChangeBy } from '../../model/role.js';
import type { AppDeps } from '../app-deps.js';
import { requireRole } from '../gate.js';
import { Problem } from '../problem.js';
import { auditOwn } from './audit.js';
import { apiPart, changeBy, changeQuery, jsonRoute } from './env.js';

type Deps = Pick<AppDeps, 'messaging' | 'audit' | 'now' | 'newId'>;

/**
 * What API and page do to channels and messages, each with its record.
 * @returns null: it was only asked what it would do, so nothing was sent.
 * @throws Problem 404 for what there is not
 */
export async function testChannel(deps: Deps, by: ChangeBy, name: string): Promise<Delivery | null> {
  const startedAtMs = deps.now();
  if (!deps.messaging.channels.some(({ settings }) => settings.name === name))
    throw new Problem(404, 'not-found', `there is no channel ${name.slice(0, 100)}`);
  if (by.isDryRun) return null;
  const delivery = await deps.messaging.test(name, by.actor);
  if (delivery === null) return null;
  await auditOwn(deps, by, {
    action: 'channel.test',
    args: { channel: name },
    summary: delivery.ok ? 'the test arrived' : `the test did not arrive: ${delivery.problem}`,
    isDone: delivery.ok,
    durationMs: deps.now() - startedAtMs,
  });
  return delivery;
}

export async function resendMessage(deps: Deps, by: ChangeBy, id: number): Promise<void> {
  const { outbox } = deps.messaging;
  const { isDryRun } = by;
  if (!(await (isDryRun ? outbox.has(id, ['dead']) : outbox.resend(id, deps.now())))) throw noSuch(id);
  const act = {
    action: 'outbox.resend',
    args: { message: id },
    summary: `message ${id} is tried anew`,
  } as const;
  if (!isDryRun) await auditOwn(deps, by, act);
}

export async function removeMessage(deps: Deps, by: ChangeBy, id: number): Promise<void> {
  const { outbox } = deps.messaging;
  const { isDryRun } = by;
  if (!(await (isDryRun ? outbox.has(id, ['dead', 'pending']) : outbox.remove(id)))) throw noSuch(id);
  const act = {
    action: 'outbox.remove',
    args: { message: id },
    summary: `message ${id} is forgotten`,
  } as const;
  if (!isDryRun) await auditOwn(deps, by, act);
}

function noSuch(id: number): Problem {
  return new Problem(404, 'not-found', `there is no message ${id} that this could be done to`);
}

const SeveritySchema = z.enum(['critical', 'warning', 'info']);

const ChannelSchema = HealthOfChannel.extend({
  name: z.string(),
  type: z.enum(['webhook', 'slack', 'pagerduty', 'alertmanager', 'email']),
  destination: z.string().describe('Host or addresses; never what lets its holder in'),
  minSeverity: SeveritySchema,
  instances: z.array(z.string()),
}).openapi('Channel');

const ProblemSchema = z.object({ code: z.string(), subject: z.string(), text: z.string() });

const ChannelsSchema = z.object({
  channels: z.array(ChannelSchema),
  deadManSwitch: DeadManSchema.nullable().describe('null: none is configured'),
  problems: z.array(ProblemSchema).describe('What is wrong with the console itself'),
  isSender: z.boolean().describe('This console, of several on one store, is the one that sends'),
});

const TestResultSchema = z.object({
  ok: z.boolean().nullable().describe('It arrived; null: a dry run, nothing was sent'),
  problem: z.string().nullable().describe('Why it did not arrive'),
});

const MessageSchema = MessageFacts.extend({
  id: z.number(),
  notificationId: z.string(),
  status: z.enum(['firing', 'acknowledged', 'resolved']),
  severity: SeveritySchema,
  instance: z.string(),
  headline: z.string(),
  nextTryAt: TimeSchema.nullable(),
}).openapi('Message');

const OutboxSchema = z.object({
  counts: z.record(z.string(), z.number()),
  pending: z.array(MessageSchema).describe('Newest first, at most 100'),
  dead: z.array(MessageSchema).describe('Given up, newest first, at most 100'),
});

const writeChannels = jsonWriter(ChannelsSchema);
const writeMessage = jsonWriter(MessageSchema);
const UNTRIED = { lastSuccessAtMs: null, lastFailureAtMs: null, lastError: null, failuresInRow: 0 };

/** Channels with how they do, without their secrets. */
async function channelsJson(messaging: Messaging) {
  const health = new Map((await messaging.outbox.health()).map((one) => [one.channel, one]));
  return writeChannels({
    channels: messaging.channels.map(({ settings }) => {
      const { name, type, minSeverity, instances } = settings;
      const known = health.get(name) ?? UNTRIED;
      return { ...known, name, type, destination: destinationOf(settings), minSeverity, instances };
    }),
    deadManSwitch: messaging.deadMan?.state() ?? null,
    problems: messaging.problems(),
    isSender: messaging.lease.isHeld(),
  });
}

function messageJson(entry: OutboxEntry) {
  const { seq, state, notification, nextTryAtMs } = entry;
  const { id, status, severity, instance, headline } = notification;
  return writeMessage({
    ...{ ...entry, status, severity, instance, headline, id: seq, notificationId: id },
    nextTryAtMs: state === 'pending' || state === 'standing' ? nextTryAtMs : null,
  });
}

const MAX_LISTED = 100;

const nameParam = z.object({ name: z.string().describe('Configured name of a channel') });
const idParam = z.object({
  id: z.coerce.number('must be the number of a message').int().min(0).openapi({ example: 12 }),
});

const listRoute = jsonRoute(
  'get /channels',
  'Channels, the heartbeat, and how the console itself does',
  ChannelsSchema,
);
const testRoute = {
  ...jsonRoute('post /channels/{name}/test', 'Send a test message now (admin)', TestResultSchema, {
    params: nameParam,
    query: changeQuery,
  }),
  middleware: requireRole('admin'),
};
const outboxRoute = jsonRoute(
  'get /outbox',
  'Messages that wait, and those that were given up',
  OutboxSchema,
);
const resendRoute = jsonRoute(
  'post /outbox/{id}/resend',
  'Try a message that was given up anew',
  z.object({ resent: z.number() }),
  { params: idParam, query: changeQuery },
);
const removeRoute = jsonRoute(
  'delete /outbox/{id}',
  'Forget a message that waits or was given up',
  z.object({ removed: z.number() }),
  { params: idParam, query: changeQuery },
);

/** Nothing that a caller sends here names an address: channels come from the configuration alone. */
export function channelsApi(deps: Deps) {
  const { messaging } = deps;
  return apiPart()
    .openapi(listRoute, async (c) => c.json(await channelsJson(messaging), 200))
    .openapi(testRoute, async (c) => {
      const { name } = c.req.valid('param');
      const delivery = await testChannel(deps, changeBy(c, c.req.valid('query').reason), name);
      const problem = delivery === null || delivery.ok ? null : delivery.problem;
      return c.json({ ok: delivery === null ? null : delivery.ok, problem }, 200);
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
      await resendMessage(deps, changeBy(c, c.req.valid('query').reason), id);
      return c.json({ resent: id }, 200);
    })
    .openapi(removeRoute, async (c) => {
      const { id } = c.req.valid('param');
      await removeMessage(deps, changeBy(c, c.req.valid('query').reason), id);
      return c.json({ removed: id }, 200);
    });
}

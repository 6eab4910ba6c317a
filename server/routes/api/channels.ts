import { z } from '@hono/zod-openapi';
import type { AppDeps } from '../app-deps.js';
import { requireRole } from '../gate.js';
import { removeMessage, resendMessage, testChannel } from './channel-acts.js';
import { ChannelsSchema, OutboxSchema, TestResultSchema } from './channel-schemas.js';
import { apiPart, jsonRoute } from './env.js';
import { presentChannels, presentMessage } from './present-channel.js';

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
export function channelsApi(deps: AppDeps) {
  const { messaging } = deps;
  return apiPart()
    .openapi(listRoute, async (c) => c.json(await presentChannels(messaging), 200))
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
        { counts: { ...counts }, pending: pending.map(presentMessage), dead: dead.map(presentMessage) },
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

import { type Context, Hono } from 'hono';
import { ChannelsPage, type ChannelsProps } from '../../../views/channels.js';
import { shortHash } from '../../alerts/channels/short-hash.js';
import type { Role } from '../../model/role.js';
import { removeMessage, resendMessage, testChannel } from '../api/channel-acts.js';
import type { AppDeps } from '../app-deps.js';
import { type GateEnv, requireRole } from '../gate.js';
import { Problem } from '../problem.js';
import { channelCardOf, heartbeatOf, messagesOf } from './channels-view-model.js';
import { chromeOf } from './chrome.js';

const MAX_LISTED = 30;

/** The page of channels and its buttons; they act by the same functions as the API. */
export function channelRoutes(deps: AppDeps): Hono<GateEnv> {
  const routes = new Hono<GateEnv>();
  routes.get('/channels', (c) => page(deps, c, null));
  routes.post('/channels/:name/test', requireRole('admin'), async (c) => {
    const name = c.req.param('name');
    const delivery = await testChannel(deps, c.get('actor'), name);
    return page(
      deps,
      c,
      delivery.ok
        ? { state: 'calm', text: `The test of ${name} arrived.` }
        : { state: 'critical', text: `The test of ${name} did not arrive: ${delivery.problem}.` },
    );
  });
  routes.post('/outbox/:id/resend', requireRole('operator'), async (c) => {
    await resendMessage(deps, c.get('actor'), numberOf(c.req.param('id')));
    return c.redirect('/channels', 303);
  });
  routes.post('/outbox/:id/remove', requireRole('operator'), async (c) => {
    await removeMessage(deps, c.get('actor'), numberOf(c.req.param('id')));
    return c.redirect('/channels', 303);
  });
  return routes;
}

async function page(deps: AppDeps, c: Context<GateEnv>, tested: ChannelsProps['tested']): Promise<Response> {
  const actor = c.get('actor');
  const nowMs = deps.now();
  const view = { ...(await channelsOf(deps, actor.role, nowMs)), tested };
  const liveUrl = `/live?${new URLSearchParams({ view: 'channels', of: shortHash(JSON.stringify(view)) })}`;
  const frame = { actor, nowMs, current: '/alerts', subject: 'Channels', liveUrl };
  return c.html(<ChannelsPage chrome={chromeOf(deps, frame)} view={view} />);
}

/** Everything that the section shows, so that another page may hold it too. */
export async function channelsOf(
  deps: AppDeps,
  role: Role,
  nowMs: number,
): Promise<Omit<ChannelsProps, 'tested'>> {
  const { messaging } = deps;
  const { outbox } = messaging;
  const [healthRows, counts, waiting, dead] = await Promise.all([
    outbox.health(),
    outbox.counts(),
    outbox.list(['pending', 'sending'], MAX_LISTED),
    outbox.list(['dead'], MAX_LISTED),
  ]);
  const health = new Map(healthRows.map((one) => [one.channel, one]));
  return {
    problems: messaging.problems().map(({ text }) => `${text}.`),
    channels: messaging.channels.map((channel) =>
      channelCardOf(channel, health.get(channel.settings.name), role, nowMs),
    ),
    heartbeat: heartbeatOf(messaging.deadMan?.state() ?? null, nowMs),
    waiting: messagesOf(waiting, counts.pending + counts.sending, role, nowMs),
    dead: messagesOf(dead, counts.dead, role, nowMs),
  };
}

function numberOf(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new Problem(404, 'not-found', 'there is no such message');
}

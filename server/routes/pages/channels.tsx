import { type Context, Hono } from 'hono';
import type {
  ChannelCardProps,
  HeartbeatProps,
  MessageProps,
  MessagesProps,
} from '../../../views/channels.js';
import {
  ChannelHealthLines,
  ChannelsPage,
  type ChannelsProps,
  channelStateId,
  Heartbeat,
  Messages,
  OwnProblems,
} from '../../../views/channels.js';
import { moment } from '../../../views/words.js';
import type { Channel } from '../../alerts/channels/channel.js';
import { shortHash } from '../../alerts/channels/channel.js';
import { destinationOf } from '../../alerts/channels/settings.js';
import type { DeadManState } from '../../alerts/dead-man-switch.js';
import type { OutboxEntry } from '../../alerts/outbox-tables.js';
import type { ChannelHealth } from '../../model/console-health.js';
import { formatCount, formatDuration } from '../../model/format.js';
import type { Role } from '../../model/role.js';
import { plainName } from '../../model/words.js';
import { removeMessage, resendMessage, testChannel } from '../api/channels.js';
import type { AppDeps } from '../app-deps.js';
import { type GateEnv, requireRole } from '../gate.js';
import type { LiveView } from '../live/hub.js';
import { html, swapPart } from '../live/hub.js';
import { Loaded } from '../live/loaded.js';
import { Problem } from '../problem.js';
import { chromeOf } from './chrome.js';
import { frameParts } from './overview.js';

const TYPE_WORDS = {
  webhook: 'Webhook',
  slack: 'Slack',
  pagerduty: 'PagerDuty',
  alertmanager: 'Alertmanager',
  email: 'E-mail',
} as const;

const WORDS = { firing: '', acknowledged: 'Acknowledged: ', resolved: 'Resolved: ' } as const;

function channelOf({ settings }: Channel, health: readonly ChannelHealth[]): ChannelCardProps {
  const { name, type, minSeverity, instances } = settings;
  const of = instances.includes('*') ? 'every Redis' : instances.map(plainName).join(', ');
  const from =
    minSeverity === 'info' ? 'everything' : `${minSeverity}${minSeverity === 'critical' ? '' : ' and worse'}`;
  return {
    name,
    about: `${TYPE_WORDS[type]} to ${destinationOf(settings)} · ${from}, of ${of}`,
    health: health.find(({ channel }) => channel === name),
  };
}

function heartbeatOf(deadMan: DeadManState | null, nowMs: number): HeartbeatProps {
  if (deadMan === null)
    return {
      state: 'info',
      stateWord: 'Off.',
      text: 'Nobody notices when this console dies: give alerts.deadManSwitch an address that alarms when it is not called.',
      lastBeat: null,
    };
  const { lastBeatAtMs, everySeconds, problem } = deadMan;
  const lastBeat = lastBeatAtMs === null ? null : moment(lastBeatAtMs, nowMs);
  if (problem === null)
    return { state: 'calm', stateWord: 'Beats', text: `every ${formatDuration(everySeconds)}.`, lastBeat };
  return { state: 'warning', stateWord: 'Silent:', text: `${problem}.`, lastBeat };
}

function messageOf(entry: OutboxEntry, nowMs: number): MessageProps {
  const { notification, tries, state, nextTryAtMs } = entry;
  const { status, headline, instance } = notification;
  const next = state === 'pending' ? `, next at ${moment(nextTryAtMs, nowMs).text}` : '';
  return {
    ...entry,
    title: `${WORDS[status]}${plainName(headline)} (${plainName(instance)})`,
    tries: `${tries === 0 ? 'not tried yet' : tries === 1 ? 'tried once' : `tried ${formatCount(tries)} times`}${next}`,
  };
}

const MAX_LISTED = 30;

/** The page of channels and its buttons; they act by the same functions as the API. */
export function channelRoutes(deps: AppDeps): Hono<GateEnv> {
  const routes = new Hono<GateEnv>();
  routes.get('/channels', (c) => page(deps, c, null));
  routes.post('/channels/:name/test', requireRole('admin'), async (c) => {
    const name = c.req.param('name');
    const delivery = await testChannel(deps, { actor: c.get('actor') }, name);
    return page(
      deps,
      c,
      delivery === null || delivery.ok
        ? { state: 'calm', text: `The test of ${name} arrived.` }
        : { state: 'critical', text: `The test of ${name} did not arrive: ${delivery.problem}.` },
    );
  });
  routes.post('/outbox/:id/resend', requireRole('operator'), async (c) => {
    await resendMessage(deps, { actor: c.get('actor') }, numberOf(c.req.param('id')));
    return c.redirect('/channels', 303);
  });
  routes.post('/outbox/:id/remove', requireRole('operator'), async (c) => {
    await removeMessage(deps, { actor: c.get('actor') }, numberOf(c.req.param('id')));
    return c.redirect('/channels', 303);
  });
  return routes;
}

async function page(deps: AppDeps, c: Context<GateEnv>, tested: ChannelsProps['tested']): Promise<Response> {
  const actor = c.get('actor');
  const nowMs = deps.now();
  const view = { ...(await channelsOf(deps, nowMs)), tested };
  const liveUrl = `/live?${new URLSearchParams({ view: 'channels', of: shortHash(JSON.stringify(view)) })}`;
  const frame = { actor, nowMs, current: '/channels', subject: 'Channels', liveUrl };
  return c.html(
    <ChannelsPage chrome={chromeOf(deps, frame)} view={view} reader={{ role: actor.role, nowMs }} />,
  );
}

/** Everything that the page shows. */
async function channelsOf({ messaging }: AppDeps, nowMs: number): Promise<Omit<ChannelsProps, 'tested'>> {
  const { outbox } = messaging;
  const [health, counts, waiting, dead] = await Promise.all([
    outbox.health(),
    outbox.counts(),
    outbox.list(['pending', 'sending'], MAX_LISTED),
    outbox.list(['dead'], MAX_LISTED),
  ]);
  const listed = (entries: readonly OutboxEntry[], total: number): MessagesProps => ({
    messages: entries.map((entry) => messageOf(entry, nowMs)),
    total,
  });
  return {
    problems: messaging.problems().map(({ text }) => `${text}.`),
    channels: messaging.channels.map((channel) => channelOf(channel, health)),
    heartbeat: heartbeatOf(messaging.deadMan?.state() ?? null, nowMs),
    waiting: listed(waiting, counts.pending + counts.sending),
    dead: listed(dead, counts.dead),
  };
}

function numberOf(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new Problem(404, 'not-found', 'there is no such message');
}

/** The store is asked for what waits and what was given up at most this often, however many look. */
const READ_EVERY_MS = 1_000;

/**
 * What changes on the page of channels: how each does, the heartbeat, and the messages that wait or were given up.
 * @param of what the page showed first: who has just acted must not be sent what was read before.
 */
export function channelsLive(deps: AppDeps, role: Role, of: string): LiveView {
  const { now } = deps;
  const loaded = new Loaded({ load: () => channelsOf(deps, now()), everyMs: READ_EVERY_MS, now });
  return {
    key: `channels|${role}|${of}`,
    render: () => {
      const reader = { role, nowMs: now() };
      const frame = frameParts(deps, reader.nowMs, 'Channels');
      const view = loaded.latest();
      if (view === null) return frame;
      return [
        ...frame,
        swapPart('own-problems', html(<OwnProblems problems={view.problems} />)),
        ...view.channels.map((card) =>
          swapPart(channelStateId(card.name), html(<ChannelHealthLines {...card} {...reader} />)),
        ),
        swapPart('heartbeat', html(<Heartbeat {...view.heartbeat} />)),
        swapPart('messages-dead', html(<Messages of="dead" {...view.dead} {...reader} />)),
        swapPart('messages-waiting', html(<Messages of="waiting" {...view.waiting} {...reader} />)),
      ];
    },
  };
}

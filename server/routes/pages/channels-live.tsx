import { ChannelHealthLines } from '../../../views/channel-card.js';
import { Heartbeat, Messages, OwnProblems } from '../../../views/channels.js';
import type { Role } from '../../model/role.js';
import type { AppDeps } from '../app-deps.js';
import type { LiveView } from '../live/hub.js';
import { Loaded } from '../live/loaded.js';
import { html, swapPart } from '../live/part.js';
import { channelsOf } from './channels.js';
import { frameParts } from './overview.js';

/** The store is asked for what waits and what was given up at most this often, however many look. */
const READ_EVERY_MS = 1_000;

/**
 * What changes on the page of channels: how each does, the heartbeat, and the messages that wait or were given up.
 * @param of what the page showed first: who has just acted must not be sent what was read before.
 */
export function channelsLive(deps: AppDeps, role: Role, of: string): LiveView {
  const { now } = deps;
  const loaded = new Loaded({ load: () => channelsOf(deps, role, now()), everyMs: READ_EVERY_MS, now });
  return {
    key: `channels|${role}|${of}`,
    render: () => {
      const frame = frameParts(deps, now(), 'Channels');
      const view = loaded.latest();
      if (view === null) return frame;
      return [
        ...frame,
        swapPart('own-problems', html(<OwnProblems problems={view.problems} />)),
        ...view.channels.map((card) => swapPart(`${card.id}-state`, html(<ChannelHealthLines {...card} />))),
        swapPart('heartbeat', html(<Heartbeat {...view.heartbeat} />)),
        swapPart('messages-dead', html(<Messages id="messages-dead" {...view.dead} />)),
        swapPart('messages-waiting', html(<Messages id="messages-waiting" {...view.waiting} />)),
      ];
    },
  };
}

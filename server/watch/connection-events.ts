import type { LinkState, LinkStatus } from '../model/sight.js';
import type { DataLoss } from '../model/snapshot.js';
import type { RecordEvent, TimelineEntry, TimelineKind } from '../model/timeline-entry.js';
import type { ChannelState } from '../redis/agent-channel.js';
import type { FleetEvent } from './fleet.js';

const ABOUT_NOBODY = { queue: null, worker: null } as const;

/** A master answers that is another process than before, or has another role. */
export function anotherProcess(topology: LinkState['topology'], address: string): FleetEvent {
  return topology === 'single'
    ? {
        kind: 'redis.restarted',
        ...ABOUT_NOBODY,
        text: `Redis at ${address} has restarted or changed its role.`,
      }
    : {
        kind: 'redis.failover',
        ...ABOUT_NOBODY,
        text: `The master behind ${address} is another process now, or has another role: a failover.`,
      };
}

/** How the console hears agents has changed; null where that is no news. */
export function hearingChanged(state: ChannelState, before: ChannelState): FleetEvent | null {
  if (state.status === 'deaf')
    return {
      kind: 'console.deaf',
      ...ABOUT_NOBODY,
      text: `The console does not hear agents: ${state.problem ?? 'no reason known'}.`,
    };
  if (state.status !== 'hearing' || before.status !== 'deaf') return null;
  const seconds = Math.max(1, Math.round((state.sinceMs - before.sinceMs) / 1000));
  return {
    kind: 'console.hears',
    ...ABOUT_NOBODY,
    text: `The console hears agents again, after ${seconds} s.`,
  };
}

/** Jobs are gone. */
export function dataLost({ text }: DataLoss): FleetEvent {
  return { kind: 'redis.data-lost', ...ABOUT_NOBODY, text: `${text}.` };
}

export function redisBack(address: string): FleetEvent {
  return { kind: 'redis.back', ...ABOUT_NOBODY, text: `Redis at ${address} answers again.` };
}

export function unreachableEvent(problem: string): FleetEvent {
  return { kind: 'redis.unreachable', ...ABOUT_NOBODY, text: `${problem}.` };
}

/** What to say where a Redis gives no reason for its silence. */
export function silenceInWords(status: LinkStatus, address: string): string {
  return status === 'connecting'
    ? `connecting to Redis at ${address}`
    : `Redis at ${address} does not answer`;
}

/** Of one kind in one tick, so many are recorded one by one; more are recorded as one line: a deploy, or somebody's noise. */
const MAX_ONE_BY_ONE = 20;
/** Who is named in such a line. */
const MAX_NAMED = 3;

type Event = Omit<TimelineEntry, 'id'>;

interface Gathered {
  readonly first: Event;
  /** At most MAX_ONE_BY_ONE of them: what is held is bounded, however much happens. */
  readonly events: Event[];
  readonly queues: Set<string | null>;
  count: number;
}

/** What happened to many at once, as it begins and ends. */
const TOGETHER: Partial<Record<TimelineKind, readonly [who: string, what: string]>> = {
  'worker.joined': ['workers', 'have joined'],
  'worker.left': ['workers', 'have left in an orderly way'],
  'worker.crashed': ['workers', 'send no heartbeat and are not connected any more'],
  'agent.resubscribed': ['agents', 'were deaf and have subscribed anew'],
};

/** Takes what happens to workers until the tick's end; everything else is recorded at once. */
export class EventCoalescer {
  readonly #record: RecordEvent;
  readonly #gathered = new Map<TimelineKind, Gathered>();

  constructor(record: RecordEvent) {
    this.#record = record;
  }

  add(event: Event): void {
    if (!TOGETHER[event.kind]) {
      this.#record(event);
      return;
    }
    const known = this.#gathered.get(event.kind);
    const gathered = known ?? { first: event, events: [], queues: new Set(), count: 0 };
    if (!known) this.#gathered.set(event.kind, gathered);
    gathered.count += 1;
    // Two are enough to know that it is not about one queue.
    if (gathered.queues.size < 2) gathered.queues.add(event.queue);
    if (gathered.events.length < MAX_ONE_BY_ONE) gathered.events.push(event);
  }

  /** The tick has ended: records what was gathered. */
  flush(): void {
    const all = [...this.#gathered.values()];
    this.#gathered.clear();
    for (const gathered of all) {
      if (gathered.count > MAX_ONE_BY_ONE) this.#record(asOne(gathered));
      else for (const event of gathered.events) this.#record(event);
    }
  }
}

function asOne({ first, events, queues, count }: Gathered): Event {
  const [who, what] = TOGETHER[first.kind] ?? ['', ''];
  const names = events.slice(0, MAX_NAMED).flatMap(({ worker }) => worker ?? []);
  const text = `${count} ${who} ${what}: ${names.join(', ')} and ${count - names.length} more.`;
  return { ...first, queue: queues.size === 1 ? first.queue : null, worker: null, text };
}

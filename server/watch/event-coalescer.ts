import type { RecordEvent, TimelineEntry, TimelineKind } from '../model/timeline-entry.js';

/** Of one kind in one tick, so many are told one by one; more are told as one line: a deploy, or somebody's noise. */
const MAX_ONE_BY_ONE = 20;
/** Who is named in such a line. */
const MAX_NAMED = 3;

type Event = Omit<TimelineEntry, 'id'>;

interface Gathered {
  readonly first: Event;
  /** At most MAX_ONE_BY_ONE of them: what is held is bounded, however much is told. */
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

/** Takes what happens to workers until the tick's end; everything else is told at once. */
export class EventCoalescer {
  readonly #tell: RecordEvent;
  readonly #gathered = new Map<TimelineKind, Gathered>();

  constructor(tell: RecordEvent) {
    this.#tell = tell;
  }

  add(event: Event): void {
    if (!TOGETHER[event.kind]) {
      this.#tell(event);
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

  /** The tick has ended: tells what was gathered. */
  flush(): void {
    const all = [...this.#gathered.values()];
    this.#gathered.clear();
    for (const gathered of all) {
      if (gathered.count > MAX_ONE_BY_ONE) this.#tell(asOne(gathered));
      else for (const event of gathered.events) this.#tell(event);
    }
  }
}

function asOne({ first, events, queues, count }: Gathered): Event {
  const [who, what] = TOGETHER[first.kind] ?? ['', ''];
  const names = events.slice(0, MAX_NAMED).flatMap(({ worker }) => worker ?? []);
  const text = `${count} ${who} ${what}: ${names.join(', ')} and ${count - names.length} more.`;
  return { ...first, queue: queues.size === 1 ? first.queue : null, worker: null, text };
}

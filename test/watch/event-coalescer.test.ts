import { describe, expect, it } from 'vitest';
import type { TimelineEntry, TimelineKind } from '../../server/model/timeline-entry.js';
import { EventCoalescer } from '../../server/watch/connection-events.js';
import { NOW_MS } from '../support/snapshot.js';

type Event = Omit<TimelineEntry, 'id'>;

function event(kind: TimelineKind, i: number, queue: string | null = 'bull:mail'): Event {
  return { atMs: NOW_MS + i, instance: 'default', kind, queue, worker: `w${i}`, text: `w${i}.` };
}
function gathering(): { eventCoalescer: EventCoalescer; told: Event[] } {
  const told: Event[] = [];
  return { eventCoalescer: new EventCoalescer((one) => told.push(one)), told };
}

describe('the timeline', () => {
  it('records twenty workers that join at once one by one', () => {
    const { eventCoalescer, told } = gathering();
    const events = Array.from({ length: 20 }, (_, i) => event('worker.joined', i));
    for (const one of events) eventCoalescer.add(one);
    eventCoalescer.flush();
    expect(told).toEqual(events);
  });

  it('gets one line for the hundreds of a deploy, with the queue where it is one', () => {
    const { eventCoalescer, told } = gathering();
    for (let i = 0; i < 500; i++) {
      eventCoalescer.add(event('worker.left', i, `bull:${i % 2}`));
      eventCoalescer.add(event('worker.joined', i));
    }
    eventCoalescer.flush();
    expect(told).toEqual([
      {
        ...event('worker.left', 0, null),
        worker: null,
        text: '500 workers have left in an orderly way: w0, w1, w2 and 497 more.',
      },
      {
        ...event('worker.joined', 0),
        worker: null,
        text: '500 workers have joined: w0, w1, w2 and 497 more.',
      },
    ]);
  });

  it('records at once what happens to Redis and to the console, and nothing twice', () => {
    const { eventCoalescer, told } = gathering();
    const deaf = event('console.deaf', 1);
    eventCoalescer.add(deaf);
    eventCoalescer.add(event('worker.crashed', 2));
    expect(told).toEqual([deaf]);
    eventCoalescer.flush();
    eventCoalescer.flush();
    expect(told).toEqual([deaf, event('worker.crashed', 2)]);
  });
});

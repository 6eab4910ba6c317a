import { describe, expect, it } from 'vitest';
import { OwnHealth } from '../../server/process/own-health.js';
import {
  eventPart,
  LiveChannel,
  LiveHub,
  type LiveView,
  listParts,
  type Part,
  sseMessage,
  swapPart,
  type Viewer,
} from '../../server/routes/live/hub.js';
import type { TickListener, Watch } from '../../server/watch/watch.js';
import { until } from '../support/until.js';

const ANN: Viewer = { name: 'ann', isOver: () => false };
function opened(hub: LiveHub, view: LiveView, viewer = ANN): ReadableStream<Uint8Array> {
  const stream = hub.open(view, viewer);
  if (typeof stream === 'string') throw new Error(stream);
  return stream;
}
const text = (message: string): Part => ({ key: message.split(':')[0] ?? '', message });

describe('what viewers of one view share', () => {
  it('sends a viewer only what has changed since what it has', () => {
    let parts = [text('a:1;'), text('b:1;')];
    const channel = new LiveChannel(() => parts);
    expect(channel.since(0)).toBe('a:1;b:1;');
    parts = [text('a:1;'), text('b:2;')];
    const before = channel.version;
    channel.refresh();
    expect(channel.since(before)).toBe('b:2;');
  });

  it('gives a viewer that was slow the last of each thing, once', () => {
    let n = 0;
    const channel = new LiveChannel(() => [text('still:0;'), text(`moving:${n};`)]);
    const before = channel.version;
    for (n = 1; n <= 50; n++) channel.refresh();
    expect(channel.since(before)).toBe('moving:50;');
  });

  it('sends a row that went and came back', () => {
    let parts = [text('a:1;'), text('b:1;')];
    const channel = new LiveChannel(() => parts);
    parts = [text('a:1;')];
    channel.refresh();
    const before = channel.version;
    parts = [text('a:1;'), text('b:1;')];
    channel.refresh();
    expect(channel.since(before)).toBe('b:1;');
  });

  it('sends rows before the order that names them', () => {
    let names = ['x'];
    const channel = new LiveChannel(() =>
      listParts(
        'queues',
        names.map((id) => ({ id, html: id })),
      ),
    );
    const before = channel.version;
    names = ['y', 'x'];
    channel.refresh();
    const sent = channel.since(before);
    expect(sent.indexOf('event: item')).toBeLessThan(sent.indexOf('event: order'));
    expect(sent).toContain('"ids":["y","x"]');
    expect(sent).not.toContain('"id":"x"');
  });
});

describe('a message of the stream', () => {
  it('can not be ended early by a line end in what it carries', () => {
    expect(sseMessage(null, 'a\n\nb\r\rc')).toBe('data: a\ndata: \ndata: b\ndata: \ndata: c\n\n');
    expect(eventPart('k', 'item', { html: 'a\n\nevent: x' }).message.split('\n')).toHaveLength(4);
  });

  it('is swapped when it is HTML, and is an event when it is data', () => {
    expect(swapPart('band', '<p>').message).toMatch(/^data: <hx-partial hx-target="#band"/);
    expect(eventPart('k', 'beat', 1).message).toMatch(/^event: beat\n/);
  });
});

describe('the hub of live views', () => {
  const tick = () => {
    const listeners = new Set<TickListener>();
    const watch = {
      onTick: (listener: TickListener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    } as Pick<Watch, 'onTick'> as Watch;
    return { watch, fire: () => listeners.forEach((listener) => void listener('default', 0)), listeners };
  };
  const readAll = async (body: ReadableStream<Uint8Array> | null, into: string[]): Promise<void> => {
    if (!body) throw new Error('refused');
    const decoder = new TextDecoder();
    for await (const chunk of body) into.push(decoder.decode(chunk));
  };

  it('renders once a tick, however many look on', async () => {
    const { watch, fire } = tick();
    let renderings = 0;
    const view = {
      key: 'v',
      render: () => {
        renderings += 1;
        return [text(`n:${renderings};`)];
      },
    };
    const hub = new LiveHub(watch, () => undefined);
    const viewers = Array.from({ length: 100 }, () => [] as string[]);
    const ends = viewers.map((into) => readAll(opened(hub, view), into));
    await until('all have the first', () => viewers.every((got) => got.length === 1));
    expect(renderings).toBe(1);
    fire();
    fire();
    await until('all have the second', () => viewers.every((got) => got.includes('n:2;')));
    expect(renderings).toBe(2);
    hub.close();
    await Promise.all(ends);
  });

  it('ends all streams when the console stops, and takes no new ones', async () => {
    const { watch, listeners } = tick();
    const hub = new LiveHub(watch, () => undefined);
    const end = readAll(opened(hub, { key: 'v', render: () => [text('a:1;')] }), []);
    hub.close();
    await end;
    expect(hub.open({ key: 'v', render: () => [] }, ANN)).toBe('no-more');
    expect(listeners.size).toBe(0);
  });

  it('lets nobody have so many that others see nothing, and takes another when one has ended', async () => {
    const hub = new LiveHub(tick().watch, () => undefined);
    const view = { key: 'v', render: () => [text('a:1;')] };
    const own: ReadableStream[] = [];
    let refused: unknown;
    for (refused = null; refused === null; ) {
      const stream = hub.open(view, ANN);
      if (typeof stream === 'string') refused = stream;
      else own.push(stream);
    }
    expect([refused, own.length]).toEqual(['too-many', 200]);
    expect(hub.open(view, { ...ANN, name: 'ben' })).toBeInstanceOf(ReadableStream);
    await own[0]?.cancel();
    expect(hub.open(view, ANN)).toBeInstanceOf(ReadableStream);
    hub.close();
  });

  it('ends the streams of a session that is over, and no others', async () => {
    const { watch, fire } = tick();
    const hub = new LiveHub(watch, () => undefined);
    const view = { key: 'v', render: () => [text('a:1;')] };
    let isOver = false;
    const ended = readAll(opened(hub, view, { name: 'ben', isOver: () => isOver }), []);
    let hasAnnEnded = false;
    const ann = readAll(opened(hub, view), []).then(() => {
      hasAnnEnded = true;
    });
    isOver = true;
    fire();
    await ended;
    expect(hasAnnEnded).toBe(false);
    hub.close();
    await ann;
  });

  it('ends the pages of a view that throws, and no others, and logs it once', async () => {
    const { watch, fire } = tick();
    const health = new OwnHealth({ now: () => 0, warn: () => undefined });
    const hub = new LiveHub(watch, (error) => health.note('a live page', error));
    let isBroken = false;
    const broken = () => {
      if (isBroken) throw new TypeError('odd data');
      return [text('b:1;')];
    };
    let renderings = 0;
    const fine = () => {
      renderings += 1;
      return [text(`f:${renderings};`)];
    };
    const ended = readAll(opened(hub, { key: 'broken', render: broken }), []);
    const seen: string[] = [];
    const end = readAll(opened(hub, { key: 'fine', render: fine }), seen);
    await until('both are shown', () => seen.length > 0);
    isBroken = true;
    fire();
    await ended;
    const shown = seen.length;
    fire();
    await until('the other goes on', () => seen.length > shown);
    // Whoever opens it while it is so is told so, and costs the others nothing.
    expect(() => hub.open({ key: 'broken', render: broken }, ANN)).toThrow('odd data');
    expect(health.problems()).toMatchObject([{ code: 'fault', subject: 'a live page', count: 1 }]);
    hub.close();
    await end;
  });

  it('makes nothing for a viewer that takes nothing', async () => {
    const { watch, fire } = tick();
    const hub = new LiveHub(watch, () => undefined);
    let renderings = 0;
    const view = {
      key: 'v',
      render: () => {
        renderings += 1;
        return [text(`n:${renderings};`)];
      },
    };
    const slow = opened(hub, view).getReader();
    const quick: string[] = [];
    const end = readAll(opened(hub, view), quick);
    const first = await slow.read();
    expect(new TextDecoder().decode(first?.value)).toBe('n:1;');
    for (const wanted of ['n:2;', 'n:3;', 'n:4;']) {
      fire();
      await until(`the quick one has ${wanted}`, () => quick.includes(wanted));
    }
    const next = await slow.read();
    expect(new TextDecoder().decode(next?.value)).toBe('n:4;');
    hub.close();
    await end;
  });
});

import { describe, expect, it } from 'vitest';
import { InstanceTypes } from '../../server/watch/instance-types.js';
import { aQueue, NOW_MS } from '../support/snapshot.js';

const TYPE = {
  name: 'digest',
  completed: 1,
  failed: 0,
  run: null,
  wait: null,
  runs: [],
  runsUntold: 0,
  error: null,
  usual: null,
};

/** Queues that are busy all the time, and how often their types have been judged. */
function someBusyQueues(count: number) {
  const types = new InstanceTypes(
    () => null,
    () => new Map(),
    () => null,
  );
  const judged = new Map<string, number>();
  const queues = Array.from({ length: count }, (_, i) => {
    const state = aQueue({ name: `q${i}` });
    const setTypes = (): void => void judged.set(state.id, (judged.get(state.id) ?? 0) + 1);
    return { id: state.id, state, setTypes };
  });
  return {
    queues,
    judgedOf: (id: string) => judged.get(id) ?? 0,
    judgeSoon: (id: string) => types.judgeSoon(id),
    tick(nowMs: number) {
      for (const { id } of queues) types.hear(id, 'process', [TYPE], nowMs, true);
      types.judge(queues, nowMs);
    },
  };
}

describe('the job types of many busy queues', () => {
  it('are each judged in their turn, the last queue as often as the first', () => {
    const busy = someBusyQueues(600);
    for (let tick = 0; tick < 40; tick += 1) busy.tick(NOW_MS + tick * 1_000);
    const counts = busy.queues.map(({ id }) => busy.judgedOf(id));
    expect([Math.min(...counts), Math.max(...counts)]).toEqual([10, 10]);
  });

  it('are judged at the next tick where somebody has set something', () => {
    const busy = someBusyQueues(600);
    busy.tick(NOW_MS);
    busy.tick(NOW_MS + 1_000);
    expect([busy.judgedOf('bull:q0'), busy.judgedOf('bull:q599')]).toEqual([1, 0]);
    busy.judgeSoon('bull:q0');
    busy.tick(NOW_MS + 1_100);
    expect(busy.judgedOf('bull:q0')).toBe(2);
  });
});

describe('the job types of a queue that is not found yet', () => {
  const known = (id: string, foundAtMs: number, beside: number): readonly string[] => {
    const types = new InstanceTypes(
      () => null,
      () => new Map(),
      () => null,
    );
    for (let i = 0; i < beside; i += 1) types.hear(`bull:made-up-${i}`, 'process', [TYPE], NOW_MS, false);
    types.hear(id, 'process', [TYPE], NOW_MS, false);
    types.forgetAllBut(new Set(), NOW_MS + 1_000);
    types.forgetAllBut(new Set(foundAtMs > 1_000 ? [] : [id]), NOW_MS + foundAtMs);
    let names: readonly string[] = [];
    const setTypes = (told: readonly { readonly name: string }[]): void => {
      names = told.map(({ name }) => name);
    };
    types.judge([{ id, state: aQueue({ name: 'new' }), setTypes }], NOW_MS + foundAtMs);
    return names;
  };

  it('are reported for what ran before it was found, as no beat says it twice', () => {
    expect(known('bull:new', 500, 0)).toEqual(['digest']);
  });

  it('are held for a moment, and of few queues: what is made up is never found', () => {
    expect(known('bull:new', 12_000, 0)).toEqual([]);
    expect(known('bull:new', 500, 50)).toEqual([]);
  });
});

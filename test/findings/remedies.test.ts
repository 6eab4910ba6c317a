import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findAction } from '../../server/actions/index.js';
import { detectFindings } from '../../server/findings/index.js';
import { raiseMaxmemoryRemedy } from '../../server/findings/make-room.js';
import type { Remedy } from '../../server/model/finding.js';
import { DEFAULT_THRESHOLDS } from '../../server/model/finding.js';
import { anySnapshot } from '../support/any-snapshot.js';
import { aFullNode, aNode, aQueue, aSnapshot, MB, NOW_MS, someMemory } from '../support/snapshot.js';

const heavy = aQueue({
  name: 'track',
  counts: { waiting: 9000, completed: 5000, failed: 4000 },
  eventsLength: 10_000,
  lastDepartureAtMs: NOW_MS - 90_000,
  memory: someMemory({ completedBytes: 20 * MB, failedBytes: 12 * MB, eventsBytes: 1.5 * MB }),
});
const waiting = { counts: { waiting: 500, active: 4 }, lastDepartureAtMs: NOW_MS };
const limited = { ...waiting, rateLimit: { max: 10, durationMs: 1000 } };

const troubles = {
  'a full Redis': aSnapshot({ nodes: [aFullNode()], queues: [heavy, aQueue({ counts: { waiting: 2 } })] }),
  'a Redis without limit': aSnapshot({
    nodes: [aNode({ maxBytes: 0, limit: { bytes: 2048 * MB, source: 'host' } })],
  }),
  'queues that are held': aSnapshot({
    queues: [
      aQueue({ name: 'a', ...waiting, flow: 'paused' }),
      aQueue({
        name: 'b',
        ...waiting,
        flow: 'paused-by-spillway',
        pause: { formerConcurrency: 3, atMs: 0, actor: 'ana' },
      }),
      aQueue({ name: 'c', ...waiting, concurrency: 4 }),
      aQueue({ name: 'd', ...waiting, concurrency: 0 }),
      aQueue({ name: 'huge', counts: { waiting: 500, active: 700_000 }, concurrency: 700_000 }),
      aQueue({ name: 'e', ...limited, rateLimitedForMs: 400 }),
      aQueue({ name: 'f', ...limited, rateLimitedForMs: 400, observedLimiterMs: 4321 }),
    ],
  }),
};

test.each(Object.entries(troubles))(
  'every remedy for %s is a call that its action accepts',
  (_, snapshot) => {
    const remedies = detectFindings(snapshot, NOW_MS, DEFAULT_THRESHOLDS).flatMap(
      (finding) => finding.remedies,
    );
    expect(remedies.length).toBeGreaterThan(0);
    for (const remedy of remedies) expectAccepted(remedy);
  },
);

test('a limit is raised no further than can be set, where growth is beyond all measure and the host unknown', () => {
  const forecast = {
    ...{ growthBytesPerSecond: 1e15, growthRange: [1e15, 1e15] as const, windowMs: 30_000 },
    ...{ fullInSeconds: 1, fullInRange: [1, 1] as const, notKnown: null },
  };
  const remedy = raiseMaxmemoryRemedy(aFullNode({ hostBytes: null, forecast }));
  expect(remedy).not.toBeNull();
  if (remedy) expectAccepted(remedy);
});

test('whatever a Redis looks like, every remedy is a call that its action accepts', () => {
  fc.assert(
    fc.property(anySnapshot, (snapshot) => {
      for (const finding of detectFindings(snapshot, NOW_MS, DEFAULT_THRESHOLDS))
        for (const remedy of finding.remedies) expectAccepted(remedy);
    }),
    { numRuns: 300 },
  );
});

function expectAccepted(remedy: Remedy): void {
  const action = findAction(remedy.action);
  expect(action, remedy.action).not.toBeNull();
  expect(action?.schema.safeParse(remedy.args), remedy.label).toMatchObject({ success: true });
  expect(remedy.queues.length > 0, remedy.label).toBe(action?.scope === 'queue');
  expect((remedy.workers?.length ?? 0) > 0, remedy.label).toBe(action?.scope === 'worker');
}

import { expect, it } from 'vitest';
import { DEFAULT_RULES } from '../../server/alerts/default-rules.js';
import { detectFindings } from '../../server/findings/index.js';
import { trackFindings } from '../../server/findings/track.js';
import type { Finding } from '../../server/model/finding.js';
import { DEFAULT_THRESHOLDS } from '../../server/model/finding.js';
import type { Snapshot } from '../../server/model/snapshot.js';
import { aJudge } from '../support/alerts.js';
import { aJobType } from '../support/job-types.js';
import { seededRandom } from '../support/seeded-random.js';
import { aNode, aQueue, aSnapshot, MB, NOW_MS, someMemory, someRates } from '../support/snapshot.js';

const DAY_SECONDS = 24 * 3600;
const EVERY_SECONDS = 5;

/** A day of a healthy Redis: tides of load, bursts that are worked off, memory that saw-tooths, now and then a blind second. */
function* healthyDay(seed: number): Generator<Snapshot> {
  const random = seededRandom(seed);
  const queues = Array.from({ length: 8 }, (_, i) => ({
    name: `q${i}`,
    perSecond: random.logNormal(5, 1),
    depth: 0,
    sinceMs: null as number | null,
  }));
  for (let second = 0; second < DAY_SECONDS; second += EVERY_SECONDS) {
    const nowMs = NOW_MS + second * 1000;
    const tide = 1 + 0.6 * Math.sin((second / DAY_SECONDS) * 2 * Math.PI);
    const isBlind = random.uniform() < 0.0005;
    const saw = (second % 900) / 900;
    const usedMb = 30 + 6 * tide + 8 * saw + random.normal();
    const states = queues.map((queue) => {
      const arriving = queue.perSecond * tide;
      if (random.uniform() < 0.001) queue.depth += arriving * random.between(5, 60);
      const leaving = Math.min(queue.depth / EVERY_SECONDS + arriving, arriving * 2);
      const wobble = Math.max(0, random.normal() * Math.sqrt(arriving));
      queue.depth = Math.max(0, queue.depth + (arriving - leaving) * EVERY_SECONDS);
      const backlog = Math.round(queue.depth + wobble);
      queue.sinceMs = backlog === 0 ? null : (queue.sinceMs ?? nowMs);
      return aQueue({
        name: queue.name,
        counts: { waiting: backlog, active: Math.round(arriving / 2) },
        backlogSinceMs: queue.sinceMs,
        oldestWaitingAtMs: backlog === 0 ? null : nowMs - random.between(0, 3000),
        firstSeenAtMs: NOW_MS - 3_600_000,
        lastDepartureAtMs: nowMs - random.between(0, 2000),
        depthTrend: [backlog],
        rates: someRates({ arrivalsPerSecond: arriving, departuresPerSecond: leaving }),
        memory: someMemory({ backlogBytes: backlog * 2000, completedBytes: 2 * MB + MB * saw }),
        types: [aJobType({ name: 'work', memoryBytes: 2 * MB + MB * saw, lastCompletedAtMs: nowMs - 500 })],
      });
    });
    yield aSnapshot({
      atMs: nowMs,
      link: { lastReadAtMs: isBlind ? nowMs - 20_000 : nowMs, status: isBlind ? 'stale' : 'live' },
      nodes: [aNode({ countedBytes: usedMb * MB, maxBytes: 100 * MB })],
      queues: states,
    });
  }
}

it.each([1, 2, 3])(
  '24 hours of healthy, noisy load raise no alert (%i)',
  (seed) => {
    const judge = aJudge(...DEFAULT_RULES);
    let findings: readonly Finding[] = [];
    const fired: string[] = [];
    for (const snapshot of healthyDay(seed)) {
      findings = trackFindings(
        findings,
        detectFindings(snapshot, snapshot.atMs, DEFAULT_THRESHOLDS),
        snapshot.atMs,
      );
      for (const { kind, alert } of judge.evaluate(snapshot, findings, snapshot.atMs))
        if (kind === 'firing') fired.push(`${alert.ruleName}: ${alert.headline}: ${alert.cause}`);
    }
    expect(fired).toEqual([]);
  },
  120_000,
);

it('the same day with a leak of memory raises one cause', () => {
  const judge = aJudge(...DEFAULT_RULES);
  let findings: readonly Finding[] = [];
  const fired = new Set<string>();
  let second = 0;
  for (const healthy of healthyDay(1)) {
    second += EVERY_SECONDS;
    const leakMb = second / 60;
    const snapshot = {
      ...healthy,
      nodes: healthy.nodes.map((node) =>
        aNode({ countedBytes: node.countedBytes + leakMb * MB, maxBytes: 100 * MB }),
      ),
    };
    findings = trackFindings(
      findings,
      detectFindings(snapshot, snapshot.atMs, DEFAULT_THRESHOLDS),
      snapshot.atMs,
    );
    for (const { kind, alert } of judge.evaluate(snapshot, findings, snapshot.atMs))
      if (kind === 'firing' && alert.inhibitedBy === null) fired.add(alert.ruleId);
    if (second > 3600 * 1.6) break;
  }
  expect([...fired].sort()).toContain('redis-full');
  expect([...fired].every((id) => id.startsWith('redis-'))).toBe(true);
});

import { type OwnRedis, startRedis } from '../drills/own-redis.js';
import { Judge } from '../server/alerts/judge.js';
import type { AlertRule, Condition } from '../server/alerts/rule.js';
import type { Snapshot } from '../server/model/snapshot.js';
import { anInstance, untilSnapshot, watching } from '../test/support/watching.js';
import { ownCpuMs } from './cost.js';
import { cost, quantileOf, type Row, type Say } from './row.js';
import { copyQueues } from './seed.js';
import { during } from './world.js';

const RULES = 1_000;
const WARM_TICKS = 60;
const TICKS = 100;
const WANTED_MS = 50;

/** 1,000 rules of every kind over 1,000 queues that a real Redis holds: the time of one tick, with few and with many that fire. */
export function alertRows(isQuick: boolean, say: Say): Promise<readonly Row[]> {
  const queues = isQuick ? 100 : 1_000;
  return during(startRedis(), async (redis) => {
    say(`seeding ${queues} queues`);
    await copyQueues(redis, 0, queues, 5);
    const snapshot = await seen(redis, queues);
    return [
      await tickRow('few-fire', '0.1% of all depths in breach, others each tick', snapshot, 9_990),
      await tickRow('many-fire', '1% of all depths in breach, others each tick', snapshot, 9_900),
      await tickRow('none-fire', 'none in breach', snapshot, 1e9),
    ];
  });
}

/** What the console's own poller makes of them. */
function seen(redis: OwnRedis, queues: number): Promise<Snapshot> {
  const { watch } = watching(anInstance(redis.url));
  return during(watch, () =>
    untilSnapshot(watch, `${queues} queues are seen`, (snapshot) => snapshot.queues.length >= queues, {
      withinMs: 60_000,
    }),
  );
}

/** Each tick every queue has another depth, from 0 to 10,000, so that alerts come and go. */
async function tickRow(id: string, what: string, snapshot: Snapshot, threshold: number): Promise<Row> {
  let serial = 0;
  const newId = (): string => String(++serial);
  const judge = new Judge({ instance: snapshot.instance, newId, warmUpMs: 0 });
  judge.setRules(Array.from({ length: RULES }, (_, i) => ruleOf(i, threshold)));
  const times: number[] = [];
  let active = 0;
  for (let tick = 0; tick < WARM_TICKS + TICKS; tick++) {
    const nowMs = snapshot.atMs + tick * 1_000;
    const now: Snapshot = {
      ...snapshot,
      atMs: nowMs,
      link: { ...snapshot.link, status: 'live', lastReadAtMs: nowMs },
      queues: snapshot.queues.map((queue) => ({ ...queue, backlog: Math.random() * 10_000 })),
    };
    const tookMs = await ownCpuMs(() => judge.evaluate(now, [], nowMs));
    if (tick < WARM_TICKS) continue;
    times.push(tookMs);
    active += judge.alerts().length / TICKS;
  }
  return cost(
    `tick.${id}`,
    `CPU of one tick of ${RULES} rules over ${snapshot.queues.length} queues, ${what}, median`,
    'ms',
    times,
    {
      limit: WANTED_MS,
      detail: `p99 ${quantileOf(times, 0.99).toFixed(1)} ms, ${Math.round(active)} alerts pending or firing`,
    },
  );
}

/** All kinds over signals, about all queues. */
function ruleOf(i: number, threshold: number): AlertRule {
  const above = { is: 'above', clear: null } as const;
  const kinds: readonly Condition[] = [
    { kind: 'compare', signal: 'queue_backlog_jobs', threshold: threshold + (i % 10), ...above },
    { kind: 'compare', signal: 'queue_waiting_jobs', threshold, ...above },
    { kind: 'compare', signal: 'queue_oldest_waiting_seconds', threshold: 1e9, ...above },
    { kind: 'share-of-limit', signal: 'queue_memory_bytes', aboveRatio: 0.9, clearRatio: null },
    {
      ...{ kind: 'rate-of-change', signal: 'queue_unfinished_jobs', is: 'above' },
      ...{ perSecond: 100 + i, clearPerSecond: null, windowSeconds: 300 },
    },
    {
      ...{ kind: 'predicted', signal: 'queue_backlog_jobs', reaches: 1e9 },
      ...{ withinSeconds: 60 + i, clearSeconds: null, windowSeconds: 900 },
    },
    { kind: 'absent', signal: 'queue_active_jobs', whileSignal: 'queue_delayed_jobs', whileAbove: i },
    {
      ...{ kind: 'baseline', signal: 'queue_backlog_jobs', is: 'above' },
      ...{ deviations: 20 + i, clearDeviations: null, windowSeconds: 3600 },
    },
  ];
  return {
    id: `rule-${i}`,
    name: `Rule ${i}`,
    isEnabled: true,
    severity: 'warning',
    scope: { instance: '*', queue: i % 2 === 0 ? '*' : 'bull:queue-*', type: '*' },
    condition: kinds[i % kinds.length] as Condition,
    forMs: (i % 3) * 1_000,
    keepFiringMs: (i % 2) * 2_000,
    runbookUrl: null,
  };
}

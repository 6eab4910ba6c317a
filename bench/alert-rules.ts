import { startRedis } from '../drills/own-redis.js';
import { Judge } from '../server/alerts/judge.js';
import type { AlertRule, Condition } from '../server/alerts/rule.js';
import { createWatch } from '../server/create-watch.js';
import { DEFAULT_THRESHOLDS } from '../server/findings/thresholds.js';
import type { Snapshot } from '../server/model/snapshot.js';
import type { Row } from './row.js';
import { copyQueues, medianOf, quantile, waitFor } from './world.js';

const RULES = 1_000;
const WARM_TICKS = 60;
const TICKS = 100;
const WANTED_MS = 50;

/** 1,000 rules of every kind over 1,000 queues that a real Redis holds: the time of one tick, with few and with many that fire. */
export async function alertRows(isQuick: boolean, say: (text: string) => void): Promise<readonly Row[]> {
  const queues = isQuick ? 100 : 1_000;
  const redis = await startRedis();
  try {
    say(`seeding ${queues} queues`);
    await copyQueues(redis, 0, queues, 5);
    const snapshot = await seen(redis.url, queues);
    return [
      rowOf('few-fire', '0.1% of all depths in breach, others each tick', judged(snapshot, 9_990), snapshot),
      rowOf('many-fire', '1% of all depths in breach, others each tick', judged(snapshot, 9_900), snapshot),
      rowOf('none-fire', 'none in breach', judged(snapshot, 1e9), snapshot),
    ];
  } finally {
    await redis.stop();
  }
}

/** What the console's own poller makes of them. */
async function seen(url: string, queues: number): Promise<Snapshot> {
  const watch = createWatch({
    instances: [
      {
        name: 'default',
        endpoint: { kind: 'single', url },
        queues: [],
        pollIntervalMs: 250,
        cpuBudgetRatio: 0.5,
        agentSecret: null,
        tenantField: null,
      },
    ],
    thresholds: DEFAULT_THRESHOLDS,
    now: Date.now,
    log: { info: () => undefined, warn: () => undefined },
    random: Math.random,
    slowThresholdMs: () => null,
    newId: () => 'bench',
    tell: () => undefined,
  });
  try {
    await waitFor(
      async () => (watch.snapshot('default')?.queues.length ?? 0) >= queues,
      'all queues are seen',
      60_000,
    );
    const snapshot = watch.snapshot('default');
    if (!snapshot) throw new Error('nothing was seen');
    return snapshot;
  } finally {
    await watch.stop();
  }
}

interface Judged {
  readonly times: readonly number[];
  readonly active: number;
}

/** Each tick every queue has another depth, from 0 to 10,000, so that alerts come and go. */
function judged(snapshot: Snapshot, threshold: number): Judged {
  let id = 0;
  const judge = new Judge({ instance: snapshot.instance, newId: () => String(++id), warmUpMs: 0 });
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
    // CPU time: it is one thread, and what else the machine does is none of its cost.
    const before = process.cpuUsage();
    judge.evaluate(now, [], nowMs);
    const { user, system } = process.cpuUsage(before);
    const tookMs = (user + system) / 1_000;
    if (tick < WARM_TICKS) continue;
    times.push(tookMs);
    active += judge.alerts().length / TICKS;
  }
  return { times, active: Math.round(active) };
}

/** All kinds over signals, about all queues. */
function ruleOf(i: number, threshold: number): AlertRule {
  const kinds: readonly Condition[] = [
    {
      kind: 'compare',
      signal: 'queue_backlog_jobs',
      is: 'above',
      threshold: threshold + (i % 10),
      clear: null,
    },
    { kind: 'compare', signal: 'queue_waiting_jobs', is: 'above', threshold: threshold, clear: null },
    { kind: 'compare', signal: 'queue_oldest_waiting_seconds', is: 'above', threshold: 1e9, clear: null },
    { kind: 'share-of-limit', signal: 'queue_memory_bytes', aboveRatio: 0.9, clearRatio: null },
    {
      kind: 'rate-of-change',
      signal: 'queue_unfinished_jobs',
      is: 'above',
      perSecond: 100 + i,
      clearPerSecond: null,
      windowSeconds: 300,
    },
    {
      kind: 'predicted',
      signal: 'queue_backlog_jobs',
      reaches: 1e9,
      withinSeconds: 60 + i,
      clearSeconds: null,
      windowSeconds: 900,
    },
    { kind: 'absent', signal: 'queue_active_jobs', whileSignal: 'queue_delayed_jobs', whileAbove: i },
    {
      kind: 'baseline',
      signal: 'queue_backlog_jobs',
      is: 'above',
      deviations: 20 + i,
      clearDeviations: null,
      windowSeconds: 3600,
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

function rowOf(id: string, what: string, { times, active }: Judged, snapshot: Snapshot): Row {
  return {
    id: `tick.${id}`,
    what: `CPU of one tick of ${RULES} rules over ${snapshot.queues.length} queues, ${what}, median`,
    kind: 'cost',
    unit: 'ms',
    value: medianOf(times),
    limit: WANTED_MS,
    repeats: times,
    detail: `p99 ${quantile(times, 0.99).toFixed(1)} ms, ${active} alerts pending or firing`,
  };
}

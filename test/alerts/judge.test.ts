import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Judge } from '../../server/alerts/judge.js';
import type { AlertRule, Condition } from '../../server/alerts/rule.js';
import type { Alert } from '../../server/model/alert.js';
import type { Snapshot } from '../../server/model/snapshot.js';
import { aFinding, aJudge, aRule } from '../support/alerts.js';
import { aJobType } from '../support/job-types.js';
import { aNode, aQueue, aSnapshot, MB, NOW_MS, someMemory, someRates } from '../support/snapshot.js';

const S = 1000;
/** Queues with these backlogs, seen live `seconds` after NOW_MS. */
function depths(backlogs: Readonly<Record<string, number>>, seconds = 0): Snapshot {
  const nowMs = NOW_MS + seconds * S;
  return aSnapshot({
    atMs: nowMs,
    link: { lastReadAtMs: nowMs },
    queues: Object.entries(backlogs).map(([name, waiting]) => aQueue({ name, counts: { waiting } })),
  });
}
function look(judge: Judge, snapshot: Snapshot, findings: Parameters<Judge['evaluate']>[1] = []) {
  return judge
    .evaluate(snapshot, findings, snapshot.atMs)
    .map(({ kind, alert }) => `${kind} ${alert.subject.queue ?? alert.code}`);
}
const over = (condition: Condition, more: Partial<AlertRule> = {}): AlertRule =>
  aRule({ condition, ...more });

it('a queue beyond the threshold fires, and is over at the clear level and not before', () => {
  const judge = aJudge(aRule());
  expect(look(judge, depths({ mail: 101, web: 100 }))).toEqual(['firing bull:mail']);
  expect(judge.alerts()[0]).toMatchObject({
    headline: 'mail: Too deep',
    cause: 'Backlog is 101, above 100.',
    effect: 'Jobs wait longer than they should.',
    action: 'Look at mail in the console for why.',
  });
  expect(look(judge, depths({ mail: 51, web: 10 }, 1))).toEqual([]);
  expect(look(judge, depths({ mail: 50, web: 10 }, 2))).toEqual(['resolved bull:mail']);
});

it('a rule is about the queues that its globs name', () => {
  const judge = aJudge(aRule({ scope: { instance: 'def*', queue: 'bull:m*', type: '*' } }));
  expect(look(judge, depths({ mail: 500, web: 500, monitors: 500 }))).toEqual([
    'firing bull:mail',
    'firing bull:monitors',
  ]);
  judge.setRules([aRule({ scope: { instance: 'other', queue: '*', type: '*' } })]);
  expect(look(judge, depths({ mail: 500 }, 1))).toEqual(['resolved bull:mail', 'resolved bull:monitors']);
});

it('while the console is blind nothing fires, nothing is over, and no time counts', () => {
  const judge = aJudge(aRule({ forMs: 3 * S }));
  look(judge, depths({ mail: 500 }));
  look(judge, depths({ mail: 500 }, 1));
  for (let i = 2; i < 30; i++)
    expect(
      look(judge, { ...depths({ mail: 500 }, i), link: { ...depths({}).link, status: 'unreachable' } }),
    ).toEqual([]);
  expect(look(judge, depths({ mail: 500 }, 31))).toEqual([]);
  expect(look(judge, depths({ mail: 500 }, 32))).toEqual([]);
  expect(look(judge, depths({ mail: 500 }, 33))).toEqual(['firing bull:mail']);
  expect(
    look(judge, { ...depths({ mail: 0 }, 34), link: { ...depths({}).link, status: 'unreachable' } }),
  ).toEqual([]);
  expect(judge.alerts()).toMatchObject([{ state: 'firing', seen: 'unknown' }]);
});

it('a queue that can not be read now ends no alert: neither its own, nor one over a sum that lacks it, nor one over a finding', () => {
  const total = { kind: 'compare', signal: 'backlog_jobs', is: 'above', threshold: 100, clear: 50 } as const;
  const judge = aJudge(
    aRule(),
    over(total, { id: 'sum' }),
    over({ kind: 'finding', code: 'queue.stuck', leastSeverity: 'warning' }, { id: 'stuck' }),
  );
  const stuck = aFinding({ code: 'queue.stuck', queue: 'bull:mail', severity: 'warning' });
  look(judge, depths({ mail: 500, web: 1 }), [stuck]);
  expect(judge.alerts()).toHaveLength(3);
  const mail = {
    ...{ id: 'bull:mail', prefix: 'bull', name: 'mail', sinceMs: NOW_MS, command: 'llen' },
    problem: 'LLEN is refused: the cluster is down',
    last: aQueue({ name: 'mail', counts: { waiting: 500 } }),
  };
  const blind = { ...depths({ web: 1 }, 1), unread: { queues: [mail], nodes: [] } };
  expect(look(judge, blind)).toEqual([]);
  expect(judge.alerts().map(({ state, seen }) => `${state} ${seen}`)).toEqual(
    Array(3).fill('firing unknown'),
  );
  // What was found before is carried on as last seen: no breach, and not over.
  expect(
    look(judge, { ...depths({ mail: 1, web: 1 }, 2) }, [
      { ...stuck, severity: 'info', lastSeenAtMs: NOW_MS },
    ]),
  ).toEqual(['resolved bull:mail', 'resolved signal:backlog_jobs']);
  expect(look(judge, depths({ mail: 1, web: 1 }, 3))).toEqual(['resolved bull:mail']);
});

it('a queue that was deleted has no alert any more', () => {
  const judge = aJudge(aRule());
  look(judge, depths({ mail: 500, web: 1 }));
  expect(look(judge, depths({ web: 1 }, 1))).toEqual(['resolved bull:mail']);
});

it('a share of the memory limit is judged for queues and for job types', () => {
  const share = (signal: string): Condition => ({
    kind: 'share-of-limit',
    signal,
    aboveRatio: 0.5,
    clearRatio: 0.4,
  });
  const judge = aJudge(
    over(share('queue_memory_bytes'), { id: 'q' }),
    over(share('job_type_memory_bytes'), { id: 't' }),
  );
  const queue = aQueue({
    memory: someMemory({ backlogBytes: 60 * MB }),
    types: [
      aJobType({ name: 'track', memoryBytes: 55 * MB }),
      aJobType({ name: '(other)', memoryBytes: 99 * MB }),
    ],
  });
  judge.evaluate(aSnapshot({ nodes: [aNode({ maxBytes: 100 * MB })], queues: [queue] }), [], NOW_MS);
  expect(judge.alerts().map(({ evidence, subject }) => `${subject.type}: ${evidence}`)).toEqual([
    'null: 60% of the memory limit',
    'track: 55% of the memory limit',
  ]);
});

it('memory that reaches the limit in less than 30 minutes at its trend fires, noise around a level does not', () => {
  const predicted = over({
    kind: 'predicted',
    signal: 'redis_counted_bytes',
    reaches: 'limit',
    withinSeconds: 1800,
    clearSeconds: null,
    windowSeconds: 600,
  });
  const run = (bytesAt: (second: number) => number): string[] => {
    const judge = aJudge(predicted);
    return Array.from({ length: 120 }, (_, i) => i * 5).flatMap((second) =>
      look(judge, { ...depths({}, second), nodes: [aNode({ countedBytes: bytesAt(second) * MB })] }),
    );
  };
  expect(run((second) => 40 + second / 40)).toHaveLength(0);
  expect(run((second) => 40 + second / 20)).toEqual(['firing signal:redis_counted_bytes']);
  expect(run((second) => 50 + 3 * Math.sin(second * 7.3))).toHaveLength(0);
});

it('a signal that changes too fast fires', () => {
  const judge = aJudge(
    over({
      kind: 'rate-of-change',
      signal: 'queue_backlog_jobs',
      is: 'above',
      perSecond: 5,
      clearPerSecond: null,
      windowSeconds: 60,
    }),
  );
  const told = Array.from({ length: 60 }, (_, i) =>
    look(judge, depths({ mail: i * 10, web: i * 3 }, i)),
  ).flat();
  expect(told).toEqual(['firing bull:mail']);
});

it('nothing that completes while jobs wait is absence; nothing while none waits is not', () => {
  const judge = aJudge(
    over(
      {
        kind: 'absent',
        signal: 'queue_departures_per_second',
        whileSignal: 'queue_backlog_jobs',
        whileAbove: 0,
      },
      { forMs: 2 * S },
    ),
  );
  const rates = someRates();
  const snap = (second: number) => ({
    ...depths({}, second),
    queues: [aQueue({ name: 'mail', counts: { waiting: 5 }, rates }), aQueue({ name: 'web', rates })],
  });
  const told = [0, 1, 2, 3].flatMap((second) => look(judge, snap(second)));
  expect(told).toEqual(['pending bull:mail', 'firing bull:mail']);
});

it('a signal far from its own habit fires once the habit is known', () => {
  const judge = aJudge(
    over({
      kind: 'baseline',
      signal: 'queue_backlog_jobs',
      is: 'above',
      deviations: 6,
      clearDeviations: null,
      windowSeconds: 600,
    }),
  );
  const usual = Array.from({ length: 900 }, (_, i) =>
    look(judge, depths({ mail: 100 + 20 * Math.sin(i) }, i)),
  ).flat();
  expect(usual).toEqual([]);
  expect(look(judge, depths({ mail: 400 }, 900))).toEqual(['firing bull:mail']);
  expect(look(judge, depths({ mail: 110 }, 901))).toEqual(['resolved bull:mail']);
});

it('a warning and a critical rule by the same habit or trend learn it once, and each fires at its own threshold', () => {
  const habit = (deviations: number): AlertRule['condition'] => ({
    kind: 'baseline',
    signal: 'queue_backlog_jobs',
    is: 'above',
    deviations,
    clearDeviations: null,
    windowSeconds: 600,
  });
  const judge = aJudge(
    { ...over(habit(6)), id: 'off' },
    { ...over(habit(20)), id: 'far-off' },
    { ...over(habit(1e6)), id: 'never' },
  );
  const usual = Array.from({ length: 900 }, (_, i) =>
    look(judge, depths({ mail: 100 + 20 * Math.sin(i) }, i)),
  ).flat();
  expect(usual).toEqual([]);
  look(judge, depths({ mail: 250 }, 900));
  expect(judge.alerts().map(({ ruleId }) => ruleId)).toEqual(['off']);
  look(judge, depths({ mail: 5000 }, 901));
  expect(judge.alerts().map(({ ruleId }) => ruleId)).toEqual(['off', 'far-off']);
});

it('a finding fires with its words and its first remedy, at the severity that it has', () => {
  const judge = aJudge(
    over({ kind: 'finding', code: 'redis.*', leastSeverity: 'warning' }, { severity: 'finding' }),
  );
  const remedies = [{ action: 'x', label: 'Trim events', effect: 'Frees 10 MB.', queues: [], args: {} }];
  expect(
    look(judge, depths({}), [
      aFinding({ code: 'redis.full', severity: 'critical', remedies }),
      aFinding({ code: 'redis.no-limit', severity: 'info' }),
    ]),
  ).toEqual(['firing redis.full']);
  expect(judge.alerts()).toMatchObject([
    { severity: 'critical', firstRemedy: 'Trim events: Frees 10 MB.', cause: 'redis.full is so.' },
  ]);
  expect(look(judge, depths({}, 1), [])).toEqual(['resolved redis.full']);
});

it('what follows from a full Redis is not sent by itself, and is sent once Redis has room and it still holds', () => {
  const judge = aJudge(
    aRule(),
    over(
      { kind: 'finding', code: 'redis.full', leastSeverity: 'warning' },
      { id: 'full', name: 'Redis is full' },
    ),
  );
  const full = [aFinding({ code: 'redis.full', severity: 'critical' })];
  judge.evaluate(depths({ mail: 500 }), full, NOW_MS);
  const byCause = (): Record<string, string | null> =>
    Object.fromEntries(judge.alerts().map(({ code, inhibitedBy }) => [code, inhibitedBy]));
  expect(byCause()).toEqual({ 'redis.full': null, 'signal:queue_backlog_jobs': 'Redis is full' });
  judge.evaluate(depths({ mail: 500 }, 1), [], NOW_MS + S);
  expect(byCause()).toEqual({ 'signal:queue_backlog_jobs': null });
});

it('what was explained while it lasted is not reported once it is over, when its cause ends first', () => {
  const rule = aRule({ keepFiringMs: 60 * S });
  const judge = aJudge(
    rule,
    aRule({ id: 'full', condition: { kind: 'finding', code: 'redis.full', leastSeverity: 'warning' } }),
  );
  const full = aFinding({ code: 'redis.full', severity: 'critical', queue: null });
  const at = (waiting: number, seconds: number, findings: Parameters<Judge['evaluate']>[1]) => {
    look(judge, depths({ mail: waiting }, seconds), findings);
    return judge.alerts().find(({ ruleId }) => ruleId === rule.id);
  };
  expect(at(500, 0, [full])).toMatchObject({ state: 'firing' });
  expect(at(500, 1, [full])?.inhibitedBy).not.toBeNull();
  expect(at(6, 2, [full])?.inhibitedBy).not.toBeNull();
  // The cause is over first; this one is clear, and waits for its own end.
  expect(at(6, 3, [])).toMatchObject({ state: 'firing', seen: 'clear' });
  expect(at(6, 4, [])?.inhibitedBy).not.toBeNull();
  // So again: now it is told.
  expect(at(500, 5, [])?.inhibitedBy).toBeNull();
});

it('memory by a sample of another time is not known, and fires nothing', () => {
  const judge = aJudge(
    over({ kind: 'share-of-limit', signal: 'job_type_memory_bytes', aboveRatio: 0.5, clearRatio: 0.4 }),
  );
  const memory = someMemory({
    backlogBytes: 66 * MB,
    states: [{ state: 'waiting', jobs: 40_000, bytes: 66 * MB, errorBytes: 0 }],
  });
  const of = (waiting: number) =>
    aSnapshot({
      queues: [
        aQueue({
          name: 'mail',
          counts: { waiting },
          memory,
          types: [aJobType({ name: 'track', memoryBytes: 66 * MB })],
        }),
      ],
    });
  expect(look(judge, of(2_000))).toEqual([]);
  expect(look(judge, of(39_000))).toEqual(['firing bull:mail']);
});

it('no workers in one queue explains that queue alone', () => {
  const judge = aJudge(
    aRule(),
    over({ kind: 'finding', code: 'queue.no-workers', leastSeverity: 'info' }, { id: 'none' }),
  );
  judge.evaluate(
    depths({ mail: 500, web: 500 }),
    [aFinding({ code: 'queue.no-workers', queue: 'bull:mail' })],
    NOW_MS,
  );
  const deep = judge.alerts().filter(({ ruleId }) => ruleId === 'depth');
  expect(deep.map(({ subject, inhibitedBy }) => [subject.queue, inhibitedBy])).toEqual([
    ['bull:mail', 'Too deep'],
    ['bull:web', null],
  ]);
});

it('that Redis fills is not over within the seconds after a change from here in which no trend is known', () => {
  const judge = aJudge(over({ kind: 'finding', code: 'redis.filling', leastSeverity: 'warning' }));
  const acted = { ...depths({}), actedAtMs: NOW_MS };
  look(judge, acted, [aFinding({ code: 'redis.filling', severity: 'warning', queue: null })]);
  expect(look(judge, { ...depths({}, 9), actedAtMs: NOW_MS })).toEqual([]);
  expect(judge.alerts()).toMatchObject([{ state: 'firing', seen: 'held' }]);
  expect(look(judge, { ...depths({}, 10), actedAtMs: NOW_MS })).toEqual(['resolved redis.filling']);
});

it('a finding that another one explains by now goes on under its name', () => {
  const judge = aJudge(over({ kind: 'finding', code: 'queue.growing', leastSeverity: 'info' }));
  look(judge, depths({}), [aFinding({ code: 'queue.growing', queue: 'bull:mail' })]);
  const explains = [{ code: 'queue.growing', queue: 'bull:mail', headline: 'grows' }];
  expect(look(judge, depths({}, 1), [aFinding({ code: 'redis.full', explains })])).toEqual([]);
  expect(look(judge, depths({}, 2), [])).toEqual(['resolved bull:mail']);
});

it('a Redis that fills is not over when it is full, and is reported once until it has room for good', () => {
  const rule = (id: string, code: string) =>
    aRule({ id, severity: 'finding', condition: { kind: 'finding', code, leastSeverity: 'warning' } });
  const judge = aJudge(rule('filling', 'redis.filling'), rule('full', 'redis.full'));
  const [filling, full] = ['redis.filling', 'redis.full'].map((code) =>
    aFinding({ code, node: 'n1', severity: 'critical' }),
  ) as [ReturnType<typeof aFinding>, ReturnType<typeof aFinding>];
  expect(look(judge, depths({}), [filling])).toEqual(['firing redis.filling']);
  expect(look(judge, depths({}, 1), [full])).toEqual(['firing redis.full']);
  expect(judge.alerts().map(({ code, inhibitedBy }) => [code, inhibitedBy !== null])).toEqual([
    ['redis.filling', true],
    ['redis.full', false],
  ]);
  expect(look(judge, depths({}, 2), [filling])).toEqual(['resolved redis.full']);
  expect(look(judge, depths({}, 3), [])).toEqual(['resolved redis.filling']);
});

it('a queue whose trouble is now growth and now overload is reported, as what it is all the time', () => {
  const rule = (id: string, code: string) =>
    aRule({
      id,
      condition: { kind: 'finding', code, leastSeverity: 'warning' },
      forMs: 10 * S,
      keepFiringMs: 3 * S,
    });
  const judge = aJudge(rule('grows', 'queue.growing'), rule('overloaded', 'queue.overloaded'));
  const growing = aFinding({ code: 'queue.growing', queue: 'bull:mail' });
  const overloaded = aFinding({ code: 'queue.overloaded', queue: 'bull:mail' });
  const fired = Array.from({ length: 12 }, (_, i) =>
    look(judge, depths({}, i), [i % 3 === 2 ? overloaded : growing]),
  ).flat();
  expect(fired.filter((one) => one.startsWith('firing'))).toEqual(['firing bull:mail']);
  const [told] = judge.alerts().filter(({ state }) => state === 'firing');
  expect(told?.code).toBe('queue.growing');
});

it('of another node of the same Redis it is over', () => {
  const condition = { kind: 'finding', code: 'redis.filling', leastSeverity: 'warning' } as const;
  const judge = aJudge(aRule({ id: 'filling', severity: 'finding', condition }));
  look(judge, depths({}), [aFinding({ code: 'redis.filling', node: 'n1' })]);
  expect(look(judge, depths({}, 1), [aFinding({ code: 'redis.full', node: 'n2' })])).toEqual([
    'resolved redis.filling',
  ]);
});

it('a process that is restarted at any tick says the same as one that goes on', () => {
  const rules = [
    aRule({ forMs: 2 * S, keepFiringMs: 2 * S }),
    over({ kind: 'finding', code: '*', leastSeverity: 'info' }, { id: 'f', forMs: S }),
  ];
  const anyTick = fc.record({
    mail: fc.constantFrom(0, 60, 200),
    web: fc.constantFrom(0, 60, 200),
    isFull: fc.boolean(),
    isBlind: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(anyTick, { maxLength: 60 }), fc.nat(60), (ticks, at) => {
      const one = aJudge(...rules);
      let other = aJudge(...rules);
      const firings = new Map<string, number[]>();
      let ids = 0;
      ticks.forEach(({ mail, web, isFull, isBlind }, i) => {
        const seen = depths({ mail, web }, i);
        const snapshot: Snapshot = isBlind ? { ...seen, link: { ...seen.link, status: 'stale' } } : seen;
        const findings = isFull && !isBlind ? [aFinding({ code: 'redis.full' })] : [];
        if (i === at) {
          const kept: Alert[] = JSON.parse(JSON.stringify(other.alerts()));
          other = new Judge({ instance: 'default', newId: () => `b${++ids}`, warmUpMs: 0 });
          other.setRules(rules);
          other.restore(kept, firings);
        }
        const transitions = one.evaluate(snapshot, findings, snapshot.atMs);
        for (const { kind, alert } of transitions)
          if (kind === 'firing') firings.set(alert.key, [...(firings.get(alert.key) ?? []), snapshot.atMs]);
        const said = transitions.map(({ kind, alert }) => `${kind} ${alert.subject.queue ?? alert.code}`);
        expect(look(other, snapshot, findings).sort()).toEqual(said.sort());
        expect(transitions.length).toBe(new Set(transitions.map(({ alert }) => alert.id)).size);
      });
    }),
    { numRuns: 50 },
  );
});

it('an alert goes on when its rule is edited, and is over when the rule is gone', () => {
  const judge = aJudge(aRule());
  look(judge, depths({ mail: 500 }));
  judge.setRules([
    aRule({
      name: 'Deep',
      condition: { kind: 'compare', signal: 'queue_backlog_jobs', is: 'above', threshold: 300, clear: null },
    }),
  ]);
  expect(look(judge, depths({ mail: 500 }, 1))).toEqual([]);
  expect(judge.alerts()).toMatchObject([{ id: 'a1', ruleName: 'Deep' }]);
  judge.setRules([]);
  expect(look(judge, depths({ mail: 500 }, 2))).toEqual(['resolved bull:mail']);
});

it('a warning does not hide what somebody has called critical', () => {
  const cause = over({ kind: 'finding', code: 'queue.no-workers', leastSeverity: 'info' }, { id: 'none' });
  const judge = aJudge(aRule({ severity: 'critical' }), cause);
  judge.evaluate(depths({ mail: 500 }), [aFinding({ code: 'queue.no-workers', queue: 'bull:mail' })], NOW_MS);
  expect(judge.alerts().map(({ inhibitedBy }) => inhibitedBy)).toEqual([null, null]);
});

it('three troubles of workers by one default rule have headlines of their own, each with its subject', () => {
  const rule = over({ kind: 'finding', code: 'worker.*', leastSeverity: 'info' }, { id: 'workers' });
  const judge = aJudge(rule);
  const found = ['worker.crashed', 'worker.stuck', 'worker.outlier'].map((code) =>
    aFinding({ code, queue: 'bull:mail', headline: `mail: ${code}` }),
  );
  judge.evaluate(depths({}), found, NOW_MS);
  expect(judge.alerts().map(({ headline }) => headline)).toEqual(found.map(({ headline }) => headline));
});

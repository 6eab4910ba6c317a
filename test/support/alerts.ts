import { Judge } from '../../server/alerts/judge.js';
import { type AlertRule, EVERYTHING } from '../../server/alerts/rule.js';
import type { Alert } from '../../server/model/alert.js';
import type { CurrentFinding, Finding } from '../../server/model/finding.js';
import { findingKey } from '../../server/model/finding.js';
import { NOW_MS } from './snapshot.js';

/** A rule over the depth of queues: above 100, over at 50, at once, unless said otherwise. */
export function aRule(over: Partial<AlertRule> = {}): AlertRule {
  return {
    id: 'depth',
    name: 'Too deep',
    isEnabled: true,
    severity: 'warning',
    scope: EVERYTHING,
    condition: { kind: 'compare', signal: 'queue_backlog_jobs', is: 'above', threshold: 100, clear: 50 },
    forMs: 0,
    keepFiringMs: 0,
    runbookUrl: null,
    ...over,
  };
}

/** A judge of `default` with these rules and ids a1, a2, … */
export function aJudge(...rules: readonly AlertRule[]): Judge {
  let count = 0;
  const judge = new Judge({ instance: 'default', newId: () => `a${++count}`, warmUpMs: 0 });
  judge.setRules(rules);
  return judge;
}

export function aFinding(over: Partial<CurrentFinding> & { readonly code: string }): Finding {
  const { code, instance = 'default', queue = null, node = null } = over;
  return {
    severity: 'warning',
    instance,
    queue,
    node,
    key: findingKey({ code, instance, queue, node }),
    headline: code,
    cause: `${code} is so.`,
    effect: 'Jobs wait.',
    action: 'Look at it.',
    evidence: [],
    remedies: [],
    rank: 1,
    sinceMs: NOW_MS,
    ...over,
  };
}

/** A firing alert about `bull:mail` that nobody was notified of. */
export function anAlert(over: Partial<Alert> = {}): Alert {
  return {
    id: 'a1',
    key: 'depth|bull:mail',
    ruleId: 'depth',
    ruleName: 'Too deep',
    severity: 'warning',
    subject: { instance: 'default', node: null, queue: 'bull:mail', type: null },
    code: 'signal:queue_backlog_jobs',
    findingKey: null,
    value: 200,
    headline: 'mail: Too deep',
    cause: 'Backlog is 200 jobs, above 100 jobs.',
    effect: 'Jobs wait longer than they should.',
    action: 'Look at mail in the console for why.',
    evidence: '200 jobs',
    firstRemedy: null,
    runbookUrl: null,
    inhibitedBy: null,
    acknowledged: null,
    notified: null,
    state: 'firing',
    sinceMs: NOW_MS,
    heldMs: 0,
    clearMs: 0,
    firedAtMs: NOW_MS,
    resolvedAtMs: null,
    seenAtMs: NOW_MS,
    seen: 'breach',
    ...over,
  };
}

import { describe, expect, it } from 'vitest';
import { type AlertTable, checkAlerts, type SeenAlert } from '../../drills/alert-checks.js';
import type { ApiAlert } from '../../drills/api.js';

const BEGAN_MS = Date.parse('2026-01-01T10:00:00Z');
const at = (seconds: number): string => new Date(BEGAN_MS + seconds * 1000).toISOString();

const TABLE: AlertTable = {
  expected: [
    {
      rule: 'type-failing',
      queue: 'monitors',
      type: 'match-event',
      from: 'the deploy',
      noticedWithinSeconds: 5,
      until: 'the fix',
      overWithinSeconds: 5,
    },
  ],
  allowed: [{ rule: 'queue-growing', queue: 'monitors', because: 'it does' }],
};

interface Over {
  readonly rule?: string;
  readonly queue?: string;
  readonly type?: string | null;
  readonly since?: number;
  readonly firedAt?: number;
  readonly resolvedAt?: number | null;
  readonly isNotified?: boolean;
}

/** Fires 4 s after the deploy, having held for its 2 s, and is over 3 s after the fix, which comes at 30 s. */
function seen(over: Over = {}): SeenAlert {
  const { rule = 'type-failing', queue = 'bull:monitors', type = 'match-event', since = 2 } = over;
  const { firedAt = since + 2, resolvedAt = 33, isNotified = true } = over;
  const alert = {
    id: `${rule} ${queue} ${since}`,
    state: resolvedAt === null ? 'firing' : 'resolved',
    severity: 'critical',
    rule: { id: rule, name: rule },
    subject: { instance: 'default', node: null, queue, type },
    headline: `${type} fails`,
    since: at(since),
    firedAt: at(firedAt),
    resolvedAt: resolvedAt === null ? null : at(resolvedAt),
  } as Partial<ApiAlert> as ApiAlert;
  return {
    alert,
    notifiedAtMs: isNotified ? BEGAN_MS + firedAt * 1000 : null,
    sentences: new Set([alert.headline]),
  };
}

function failures(alerts: readonly SeenAlert[], table = TABLE): readonly string[] {
  const momentsMs = new Map([
    ['the surge', BEGAN_MS - 20_000],
    ['the deploy', BEGAN_MS],
    ['the fix', BEGAN_MS + 30_000],
  ]);
  const rules = new Map([['type-failing', { forSeconds: 2, keepFiringSeconds: 3 }]]);
  const rows = checkAlerts(alerts, { table, momentsMs, rules, evaluationSeconds: 1, waitFactor: 1 });
  return rows.filter(({ holds }) => !holds).map(({ claim }) => claim);
}
const FIRES = 'alert type-failing monitors match-event fires';
const OVER = 'alert type-failing monitors match-event is over afterwards, notified once';
const NOTHING_ELSE = 'nobody is notified of what did not happen';

describe('the account of alerts', () => {
  it('holds where the right alert fires in time, names the right subject and is over after', () => {
    expect(failures([seen()])).toEqual([]);
  });

  it('fails where nothing fires', () => {
    expect(failures([])).toEqual([FIRES]);
  });

  it('fails where it fires later than one evaluation after the time for which its rule waits, or earlier', () => {
    expect(failures([seen({ firedAt: 5.1 })])).toEqual([FIRES]);
    expect(failures([seen({ firedAt: 3.9 })])).toEqual([FIRES]);
    expect(failures([seen({ since: 6.5 })])).toEqual([FIRES]);
  });

  it('fails where somebody is notified of another subject, and names both sides', () => {
    expect(failures([seen({ type: 'http-check' })])).toEqual([FIRES, NOTHING_ELSE]);
    expect(failures([seen({ queue: 'bull:mail' })])).toEqual([FIRES, NOTHING_ELSE]);
  });

  it('fails where somebody is notified before it is so, or twice, or it goes on too long after', () => {
    expect(failures([seen({ since: -5 })])).toEqual([FIRES, NOTHING_ELSE]);
    expect(failures([seen({ resolvedAt: 39.1 })])).toEqual([OVER]);
    expect(failures([seen({ resolvedAt: null })])).toEqual([OVER]);
    expect(failures([seen({ resolvedAt: 10 }), seen({ since: 15 })])).toEqual([OVER]);
  });

  it('fails where what goes on to the end is said to be over', () => {
    const { until: _, ...goesOn } = TABLE.expected[0] as (typeof TABLE.expected)[0];
    const table = { ...TABLE, expected: [goesOn] };
    expect(failures([seen({ resolvedAt: null })], table)).toEqual([]);
    expect(failures([seen()], table)).toEqual(['alert type-failing monitors match-event stays']);
    const isOpenEnded = { ...TABLE, expected: [{ ...goesOn, isOpenEnded: true }] };
    expect(failures([seen()], isOpenEnded)).toEqual([]);
  });

  it('takes an alert that goes on for a new one, where it may have begun earlier and says now whom it is about', () => {
    const [expected] = TABLE.expected as readonly [(typeof TABLE.expected)[0]];
    const early = { since: -15, firedAt: -13 };
    expect(failures([seen(early)])).toEqual([FIRES, NOTHING_ELSE]);
    const table = { ...TABLE, expected: [{ ...expected, orSince: 'the surge' }] };
    expect(failures([seen(early)], table)).toEqual([]);
    const naming = { ...TABLE, expected: [{ ...expected, orSince: 'the surge', naming: 'left-4' }] };
    expect(failures([seen(early)], naming)).toEqual([
      `${FIRES.replace(' fires', '')} left-4 fires`,
      NOTHING_ELSE,
    ]);
  });

  it('lets pass what is explained by another alert, and what is true besides', () => {
    const other = { rule: 'queue-stuck', type: null };
    expect(failures([seen(), seen({ ...other, isNotified: false })])).toEqual([]);
    expect(failures([seen(), seen(other)])).toEqual([NOTHING_ELSE]);
    expect(failures([seen(), seen({ rule: 'queue-growing', type: null })])).toEqual([]);
  });
});

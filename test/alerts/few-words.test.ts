import { describe, expect, it } from 'vitest';
import { messageFrom, plainText } from '../../server/alerts/channels/channel.js';
import { breachInWords } from '../../server/alerts/describe.js';
import { notificationOf } from '../../server/alerts/notification.js';
import type { SignalCondition } from '../../server/alerts/rule.js';
import { SIGNALS } from '../../server/signals/index.js';
import { anAlert, aRule } from '../support/alerts.js';
import { tooMuchIn, wordsIn } from '../support/few-words.js';
import { NOW_MS } from '../support/snapshot.js';

const subject = { instance: 'default', node: null, queue: 'bull:mail', type: 'digest' };

function conditionsOf(signal: string): readonly SignalCondition[] {
  return [
    { kind: 'compare', signal, is: 'above', threshold: 1234567 },
    { kind: 'share-of-limit', signal, aboveRatio: 0.9 },
    { kind: 'rate-of-change', signal, windowSeconds: 300, is: 'above', perSecond: 12345 },
    { kind: 'predicted', signal, reaches: 'limit', withinSeconds: 900 },
    { kind: 'absent', signal, whileSignal: 'queue_backlog_jobs', whileAbove: 1000 },
    { kind: 'baseline', signal, is: 'off', deviations: 4 },
  ] as readonly SignalCondition[];
}

describe('an alert over a number', () => {
  it('says of each signal and condition what it is, what it does and what to do, each in one short sentence', () => {
    for (const { name } of SIGNALS)
      for (const condition of conditionsOf(name))
        for (const value of [0.123, 98_765_432, null]) {
          const brief = breachInWords(aRule(), condition, subject, value);
          expect(tooMuchIn(brief), `${name} ${condition.kind}`).toEqual([]);
          expect(brief.headline).toContain('digest of mail');
        }
  });

  it('knows of every signal what it does when it is out of bounds', () => {
    const unknown = SIGNALS.filter(({ name }) => {
      const [condition] = conditionsOf(name);
      return condition && /not known/.test(breachInWords(aRule(), condition, subject, 1).effect);
    });
    expect(unknown.map(({ name }) => name)).toEqual([]);
  });
});

describe('a message', () => {
  it('says the headline and three lines in at most 60 words, of one alert or of many', () => {
    for (const others of [0, 11]) {
      const alerts = Array.from({ length: 1 + others }, (_, i) => anAlert({ id: `a${i}`, key: `k${i}` }));
      const due = {
        ...{ groupKey: 'g', newsKey: 'n', instance: 'default', status: 'firing' as const },
        ...{ severity: 'warning' as const, alerts },
      };
      const notification = notificationOf(due, [], () => '/alerts', NOW_MS);
      const { headline, cause, effect, action } = messageFrom(notification, null);
      expect(tooMuchIn({ headline, cause, effect, action })).toEqual([]);
      expect(wordsIn([headline, cause, effect, action].join(' '))).toBeLessThanOrEqual(60);
      expect(plainText(messageFrom(notification, null))).toContain(
        `Cause: ${cause}\nEffect: ${effect}\nDo: ${action}`,
      );
    }
  });
});

import { describe, expect, test } from 'vitest';
import { MAX_RULES } from '../../server/alerts/rules-config.js';
import type { StoredRule } from '../../server/alerts/rules-store.js';
import { editableRule, newRuleId } from '../../server/routes/rule-commands.js';

type Deps = Parameters<typeof newRuleId>[0];

/** A desk over these rules alone. */
const deskOf = (ids: readonly string[], source: StoredRule['source'] = 'user'): Deps => {
  const rules = ids.map((id) => ({ rule: { id }, source }) as unknown as StoredRule);
  return { alerting: { rules: () => rules } } as unknown as Deps;
};

describe('a new alert rule', () => {
  test('is named after what it is called, with a number where that is taken', () => {
    expect(newRuleId(deskOf([]), 'Mail: too slow!')).toBe('mail-too-slow');
    expect(newRuleId(deskOf(['mail-too-slow']), 'Mail: too slow!')).toBe('mail-too-slow-2');
    expect(newRuleId(deskOf([]), '…')).toBe('rule');
  });

  test('does not take the place of another', () => {
    expect(() => newRuleId(deskOf(['mail']), 'Mail', 'mail')).toThrow(/id: mail is taken/);
  });

  test('is refused where as many are kept as may be, by whatever way it comes', () => {
    const full = deskOf(Array.from({ length: MAX_RULES }, (_, i) => `rule-${i}`));
    expect(() => newRuleId(full, 'One more')).toThrow(/delete some first/);
  });
});

test('a rule that the configuration gives is changed there', () => {
  expect(() => editableRule(deskOf(['mail'], 'file'), 'mail')).toThrow(/change it there/);
  expect(editableRule(deskOf(['mail']), 'mail').rule.id).toBe('mail');
});

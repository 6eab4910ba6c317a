import { describe, expect, it } from 'vitest';
import { ACTIONS, findAction } from '../../server/actions/index.js';
import { oldVersionWarning } from '../../server/actions/queue-target.js';
import { globMatcher } from '../../server/model/text.js';

describe('the registry of actions', () => {
  it('holds each under a name of its own, found by it', () => {
    expect(new Set(ACTIONS.map((action) => action.name)).size).toBe(ACTIONS.length);
    for (const action of ACTIONS) expect(findAction(action.name)).toBe(action);
    expect(findAction('queue.obliterate')).toBeNull();
  });

  it('asks for the queue’s name before what cannot be taken back', () => {
    const destructive = ACTIONS.filter((action) => action.isDestructive).map((action) => action.name);
    expect(destructive.sort()).toEqual(['job.remove', 'queue.clean-finished', 'sequence']);
    // By its arguments: results of completed jobs are gone, but no job is lost that somebody could still want to run.
    const clean = (state: string) => ({
      action: 'queue.clean-finished',
      queues: ['bull:a'],
      args: { state },
    });
    for (const state of ['completed', 'failed']) {
      const isLost = state === 'failed';
      expect(findAction('queue.clean-finished')?.losesJobs({ state })).toBe(isLost);
      expect(findAction('sequence')?.losesJobs({ steps: [clean('completed'), clean(state)] })).toBe(isLost);
    }
  });
});

describe('a BullMQ that is too old for a setting is warned of', () => {
  it.each([
    ['bullmq:5.8.7', 'global concurrency', /before 5\.9 ignore/],
    ['bullmq:4.17.0', 'global concurrency', /before 5\.9 ignore/],
    ['bullmq:5.59.0', 'a global rate limit', /before 5\.60 ignore/],
    ['bullmq-pro:7.11.0', 'global concurrency', /before 7\.12 ignore/],
    [null, 'global concurrency', /not known here; before 5\.9/],
  ] as const)('%s and %s', (version, setting, words) => {
    expect(oldVersionWarning(version, setting)[0]?.text).toMatch(words);
  });
  it.each([
    ['bullmq:5.9.0', 'global concurrency'],
    ['bullmq:5.81.5', 'a global rate limit'],
    ['bullmq:6.7.0', 'a global rate limit'],
    ['bullmq-pro:7.42.0', 'global concurrency'],
  ] as const)('but not %s and %s', (version, setting) => {
    expect(oldVersionWarning(version, setting)).toEqual([]);
  });
});

it.each([
  ['mail*', 'mail-a', true],
  ['*mail', 'bull:mail', true],
  ['bull:*:x', 'bull:a:b:x', true],
  ['ma?l', 'mail', true],
  ['ma?l', 'mal', false],
  ['[ab]', 'a', false],
  ['a.c', 'abc', false],
  ['*', '', true],
  ['', 'a', false],
  [`${'*a'.repeat(30)}b`, 'a'.repeat(5_000), false],
])('glob %s against %s: %s', (glob, text, expected) => {
  expect(globMatcher(glob)(text)).toBe(expected);
});

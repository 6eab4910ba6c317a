import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  decideSpillway,
  type InstancePolicy,
  type PolicyParking,
  type PolicyView,
} from '../../server/replay/spillway-policy.js';

const MB = 1024 * 1024;
const POLICY: InstancePolicy = {
  instance: 'default',
  mode: 'on',
  highRatio: 0.85,
  lowRatio: 0.7,
  restorePerSecond: 100,
  rules: [
    { queue: 'bill*', jobType: '*', priority: 9 },
    { queue: '*', jobType: 'track', priority: 1 },
    { queue: '*', jobType: 'mail', priority: 5 },
  ],
};
const type = (queue: string, name: string, megabytes: number) => ({
  queue: `bull:${queue}`,
  queueName: queue,
  type: name,
  jobs: megabytes * 1000,
  bytes: megabytes * MB,
});
const parked = (id: string, given: Partial<PolicyParking> = {}): PolicyParking => ({
  id,
  queue: 'bull:app',
  queueName: 'app',
  jobTypes: ['track'],
  remaining: 1000,
  remainingBytes: MB,
  phase: 'park',
  state: 'done',
  pausedBy: null,
  ...given,
});
const view = (usedMegabytes: number, given: Partial<PolicyView> = {}): PolicyView => ({
  usedBytes: usedMegabytes * MB,
  limitBytes: 100 * MB,
  waiting: [
    type('app', 'mail', 30),
    type('app', 'track', 10),
    type('billing', 'track', 40),
    type('app', 'vip', 9),
  ],
  parkings: [],
  ...given,
});

it('parks the least important first, and no more than brings memory to the low watermark', () => {
  expect(decideSpillway(POLICY, view(90))).toEqual([
    { kind: 'park', queue: 'bull:app', jobType: 'track', most: 10_000, expectedBytes: 10 * MB, priority: 1 },
    { kind: 'park', queue: 'bull:app', jobType: 'mail', most: 10_000, expectedBytes: 10 * MB, priority: 5 },
  ]);
});

it('never parks what no rule names', () => {
  const acts = decideSpillway(POLICY, view(100));
  expect(acts.map((act) => act.kind === 'park' && act.jobType)).not.toContain('vip');
});

it('does nothing between the watermarks, nor while it is off or the last parking works', () => {
  expect(decideSpillway(POLICY, view(80, { parkings: [parked('a')] }))).toEqual([]);
  expect(decideSpillway({ ...POLICY, mode: 'off' }, view(99))).toEqual([]);
  expect(decideSpillway(POLICY, view(99, { parkings: [parked('a', { state: 'running' })] }))).toEqual([]);
});

it('brings the most important back first when there is room, one at a time', () => {
  const parkings = [parked('a'), parked('b', { jobTypes: ['mail'] }), parked('c', { state: 'aborted' })];
  expect(decideSpillway(POLICY, view(50, { parkings }))).toEqual([
    { kind: 'restore', parking: 'b', queue: 'bull:app', jobs: 1000 },
  ]);
  const running = [...parkings, parked('d', { phase: 'restore', state: 'running' })];
  expect(decideSpillway(POLICY, view(50, { parkings: running }))).toEqual([]);
});

it('holds what comes back once memory rises half the way to the high watermark', () => {
  const parkings = [parked('a', { phase: 'restore', state: 'running' })];
  expect(decideSpillway(POLICY, view(75, { parkings }))).toEqual([]);
  expect(decideSpillway(POLICY, view(78, { parkings }))).toEqual([
    { kind: 'hold', parking: 'a', queue: 'bull:app' },
  ]);
});

it('whatever there is: parks no more jobs than wait, by rising priority, and stops once enough is named', () => {
  const anyType = fc.record({
    queue: fc.constantFrom('bull:app', 'bull:billing'),
    queueName: fc.constantFrom('app', 'billing'),
    type: fc.constantFrom('track', 'mail', 'vip', ''),
    jobs: fc.nat(1_000_000),
    bytes: fc.nat(200 * MB),
  });
  fc.assert(
    fc.property(
      fc.array(anyType, { maxLength: 20 }),
      fc.integer({ min: 0, max: 300 }),
      (waiting, used): void => {
        const acts = decideSpillway(POLICY, view(used, { waiting }));
        const parks = acts.filter((act) => act.kind === 'park');
        if (used < 85) expect(parks).toEqual([]);
        const needed = used * MB - 0.7 * 100 * MB;
        let sum = 0;
        let priority = 0;
        for (const act of parks) {
          expect(sum).toBeLessThan(needed);
          sum += act.expectedBytes;
          expect(act.priority).toBeGreaterThanOrEqual(priority);
          priority = act.priority;
          expect(act.most).toBeGreaterThan(0);
          expect(
            waiting.some(
              ({ queue, type, jobs }) => queue === act.queue && type === act.jobType && act.most <= jobs,
            ),
          ).toBe(true);
        }
      },
    ),
  );
});

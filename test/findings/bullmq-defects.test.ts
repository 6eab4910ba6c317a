import { expect, it } from 'vitest';
import { bullmqDefect, defectsOf } from '../../server/findings/bullmq-defects.js';
import { DEFAULT_THRESHOLDS } from '../../server/model/finding.js';
import { detectFindings, tooMuchOf } from '../support/few-words.js';
import { aWorker } from '../support/fleet.js';
import { aSnapshot, NOW_MS } from '../support/snapshot.js';

const on = (id: string, bullmqVersion: string | null) => aWorker({ id, label: id, agent: { bullmqVersion } });
const find = (...workers: readonly ReturnType<typeof on>[]) =>
  detectFindings(aSnapshot({ workers }), NOW_MS, DEFAULT_THRESHOLDS).filter(
    ({ code }) => code === 'bullmq.defect',
  );

it('names workers on a version that stops for good, and the version that mends it, once', () => {
  const [finding, ...others] = find(on('a', '6.1.0'), on('b', '6.3.2'), on('c', '5.81.2'), on('d', '6.7.0'));
  expect(others).toEqual([]);
  expect(finding).toMatchObject({
    severity: 'info',
    headline: '2 workers on a BullMQ with a known defect',
    cause: 'BullMQ before 6.3.3 has a defect that 6.3.3 mends.',
    action: 'Update BullMQ to 6.3.7 or later.',
  });
  expect(finding && tooMuchOf(finding)).toEqual([]);
  expect(find(on('a', '5.81.4'))).toMatchObject([{ action: 'Update BullMQ to 5.81.5 or later.' }]);
  expect(defectsOf('5.81.2').map(({ issue }) => issue)).toEqual(['#4585', '#4479', '#4378']);
  expect(defectsOf('5.81.3').map(({ issue }) => issue)).toEqual(['#4585', '#4479']);
});

it('names what swallows adds once nothing worse is left, in words that fit a card', () => {
  const [finding, ...others] = find(on('a', '6.3.6'));
  expect(others).toEqual([]);
  expect(finding).toMatchObject({
    effect: expect.stringContaining('deduplication id are dropped'),
    action: 'Update BullMQ to 6.3.7 or later.',
  });
  expect(finding && tooMuchOf(finding)).toEqual([]);
});

it('says nothing of versions without one, and of what is no version', () => {
  expect(find(on('a', '6.7.0'), on('b', '5.81.5'), on('c', null), on('d', 'latest'))).toEqual([]);
  expect(defectsOf('6.3.7')).toEqual([]);
  expect(defectsOf('6.3.7-rc.1')).toEqual([]);
  expect(defectsOf('4.99.0')).toEqual([]);
  expect(defectsOf('999999999999999999.1.1')).toEqual([]);
  expect(bullmqDefect.code).toBe('bullmq.defect');
});

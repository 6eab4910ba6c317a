import { expect, it } from 'vitest';
import { errorGroups } from '../../server/model/error-group.js';
import type { JobRow } from '../../server/model/job-view.js';

const failed = (
  id: string,
  failedReason: string | null,
  finishedAtMs: number | null,
  name = 'send',
): JobRow => ({
  id,
  name,
  failedReason,
  finishedAtMs,
  timestampMs: 0,
  delayMs: 0,
  priority: 0,
  attemptsMade: 1,
  processedAtMs: 0,
  memoryBytes: null,
});

it('errors that differ in numbers, ids and quotes alone are one, the most frequent first', () => {
  const groups = errorGroups([
    failed('1', 'timeout after 120 ms at 10.0.0.7', 10),
    failed('2', 'no user "ada"\n  at send.js:1', 40, 'greet'),
    failed('3', 'timeout after 98 ms at 10.0.0.9', 30),
    failed('4', 'timeout after 4031 ms at 10.0.0.9', 20, 'greet'),
    failed('5', 'job 5f3e9c1a-77 is stalled', null),
    failed('6', null, 50),
  ]);
  expect(groups).toEqual([
    {
      error: 'timeout after 98 ms at 10.0.0.9',
      count: 3,
      firstAtMs: 10,
      lastAtMs: 30,
      types: ['send', 'greet'],
      jobId: '3',
    },
    { error: 'no user "ada"', count: 1, firstAtMs: 40, lastAtMs: 40, types: ['greet'], jobId: '2' },
    {
      error: 'job 5f3e9c1a-77 is stalled',
      count: 1,
      firstAtMs: null,
      lastAtMs: null,
      types: ['send'],
      jobId: '5',
    },
  ]);
});

import { expect, it } from 'vitest';
import { judgeRuns } from '../support/judge-runs.js';

const run = (jobId: string, atMs: number, stalls = 0) => ({ jobId, atMs, takenAtMs: atMs, stalls });

it('a run that BullMQ took back is known as such where its worker began it after the second one', () => {
  const runs = [
    { ...run('late', 50, 1), takenAtMs: 40 },
    { ...run('late', 60), takenAtMs: 10 },
  ];
  expect(judgeRuns(['late'], runs, [])).toMatchObject({ stalled: 1, doubled: [] });
});

it('a proof by the workers’ own record tells whose doing a second run is', () => {
  const verdict = judgeRuns(
    ['once', 'never', 'stalled', 'forgotten', 'twice', 'mixed'],
    [
      run('once', 10),
      run('stalled', 10),
      run('stalled', 900, 1),
      run('forgotten', 105),
      run('forgotten', 300),
      run('twice', 10),
      run('twice', 300),
      run('mixed', 105),
      run('mixed', 300),
      run('mixed', 400),
    ],
    [{ fromMs: 100, toMs: 110 }],
  );
  expect(verdict).toMatchObject({ once: 1, lost: ['never'], stalled: 1, forgotten: 1 });
  expect(verdict.doubled.map(({ jobId }) => jobId)).toEqual(['twice', 'mixed']);
});

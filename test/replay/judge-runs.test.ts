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

it('a proof by the workers’ own record says whose doing a second run is', () => {
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

it('a job that Redis gave in a second which it lost is reported as forgotten, however late the worker began it', () => {
  const lost = [{ fromMs: 100, toMs: 110 }];
  const given = [{ ...run('given late', 115), takenAtMs: 95 }, run('given late', 300)];
  expect(judgeRuns(['given late'], given, lost)).toMatchObject({ forgotten: 1, doubled: [] });
  const before = [{ ...run('given before', 95), takenAtMs: 80 }, run('given before', 300)];
  expect(judgeRuns(['given before'], before, lost).doubled).toHaveLength(1);
});

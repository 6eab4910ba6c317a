import { expect, it } from 'vitest';
import type { ReplayBatch } from '../../server/model/replay.js';
import { OutcomeRounds } from '../../server/replay/replay-batch.js';

/** Open batches 1 … `count`, of which those numbers that `news` holds have changed and are settled by a look. */
function world(count: number, news: Set<number>) {
  const open = new Set(Array.from({ length: count }, (_, i) => i + 1));
  const looks: number[] = [];
  const rounds = new OutcomeRounds(async (afterSeq, most) =>
    [...open]
      .filter((seq) => seq > afterSeq)
      .slice(0, most)
      .map((seq) => ({ seq }) as ReplayBatch),
  );
  const turn = (): Promise<void> =>
    rounds.turn(async ({ seq }) => {
      looks.push(seq);
      if (news.delete(seq)) return open.delete(seq);
      return false;
    });
  return { open, looks, turn };
}

it('a backlog of which nothing has run is looked at sparingly', async () => {
  const { looks, turn } = world(4_000, new Set());
  for (let i = 0; i < 20; i++) await turn();
  expect(looks.length).toBeLessThan(20 * 5 + 60);
});

it('what runs in order is found in the turn after', async () => {
  const news = new Set<number>();
  const { open, turn } = world(4_000, news);
  for (let i = 0; i < 30; i++) await turn();
  for (let seq = 1; seq <= 19; seq++) news.add(seq);
  await turn();
  expect(Math.min(...open)).toBe(20);
});

it('a batch that runs out of order, anywhere, is found by one walk', async () => {
  const news = new Set<number>();
  const { turn } = world(200, news);
  for (let i = 0; i < 30; i++) await turn();
  for (const seq of [3, 77, 140, 199, 200]) news.add(seq);
  let turns = 0;
  while (news.size > 0 && turns < 500) {
    await turn();
    turns += 1;
  }
  expect(turns).toBeLessThanOrEqual(200);
});

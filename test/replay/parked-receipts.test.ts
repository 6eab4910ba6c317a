import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openParked } from '../../server/replay/parking/open-parked.js';
import { replayBatchName } from '../../server/replay/parking/run-script.js';

it('what came of a batch of a replay stays so when two find it open after a crash and settle it one after the other', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'spillway-receipts-'));
  const { jobs, picks, close } = await openParked(directory, 2 ** 30);
  try {
    const fields = [Buffer.from('name'), Buffer.from('mail')];
    const job = (id: string) => ({
      ...{ jobId: Buffer.from(id), name: 'mail', place: 'waiting' as const, score: '', bytes: 100, fields },
    });
    await jobs.write('parking', 'taken', [job('1'), job('2')]);
    await jobs.settleWritten('parking', 'taken', '11');
    const seqs = (await jobs.next('parking', 10, 2 ** 20)).map(({ seq }) => seq);
    const call = `replay:1:${seqs[0]}`;
    const batch = replayBatchName(call, 'oldest', 'anew');
    await jobs.markRestoring('parking', batch, seqs);
    await jobs.settleRestoring('parking', batch, '11', 1);
    const once = await picks.receipt(call);
    await jobs.settleRestoring('parking', batch, '11', 2);
    expect(once).toEqual(Object.fromEntries(seqs.map((seq) => [seq, '1'])));
    expect(await picks.receipt(call)).toEqual(once);
  } finally {
    close();
    await rm(directory, { recursive: true, force: true });
  }
});

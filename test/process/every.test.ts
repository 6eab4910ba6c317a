import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { every, type Loop } from '../../server/process/every.js';
import { installLastResort, OwnHealth } from '../../server/process/own-health.js';
import { collectMetrics } from '../../server/routes/exposition.js';
import { onSignalFault } from '../../server/signals/signal.js';
import { aQueue, aSnapshot, NOW_MS } from '../support/snapshot.js';
import { until } from '../support/until.js';

describe('work that is done again and again', () => {
  const failures: number[] = [];
  const started: Loop[] = [];
  const loopOf = (run: () => unknown): Loop => {
    const loop = every(1, run, (_error, failuresInRow) => failures.push(failuresInRow));
    started.push(loop);
    return loop;
  };

  it('never runs twice at once, and nothing piles up behind a run that hangs', async () => {
    let begun = 0;
    let release = (): void => undefined;
    const loop = loopOf(() => {
      begun += 1;
      return new Promise<void>((resolve) => {
        release = resolve;
      });
    });
    loop.start(0);
    await until('it runs', () => begun === 1);
    await until('it is late', () => loop.health().lateMs > 30);
    const joined = Array.from({ length: 50 }, () => loop.run());
    expect(begun).toBe(1);
    release();
    await Promise.all(joined);
    await until('the next run', () => begun === 2);
    release();
    await loop.stop();
    expect(begun).toBe(2);
    expect(loop.health()).toMatchObject({ lateMs: 0, failuresInRow: 0 });
  });

  it('goes on after a run that throws, says since when and why, and is logged in powers of ten', async () => {
    let isBroken = true;
    const loop = loopOf(() => {
      if (isBroken) throw new Error('the statement', { cause: new Error('database is locked') });
    });
    loop.start(0);
    await until('eleven failures', () => loop.health().failuresInRow > 10);
    expect(loop.health()).toMatchObject({ problem: 'database is locked', lastSuccessAtMs: null });
    expect(failures).toEqual([1, 10]);
    isBroken = false;
    await until('it works again', () => loop.health().lastSuccessAtMs !== null);
    expect(loop.health()).toMatchObject({ failuresInRow: 0, failingSinceMs: null, problem: null });
    await loop.stop();
  });
});

describe('an error that nobody caught', () => {
  it('is reported once, and the process goes on; without end it ends itself with a line that says why', () => {
    const noted: string[] = [];
    const lines: string[] = [];
    const exits: number[] = [];
    let nowMs = NOW_MS;
    const process = new EventEmitter() as EventEmitter & Pick<NodeJS.Process, 'on' | 'off'>;
    const deps = {
      note: (part: string) => void noted.push(part),
      now: () => nowMs,
      write: (line: string) => void lines.push(line),
      exit: (code: number) => void exits.push(code),
    };
    const remove = installLastResort(deps, process);
    for (let i = 0; i < 40; i++) {
      nowMs += 5_000;
      process.emit('unhandledRejection', new Error('odd data'));
    }
    expect(noted).toHaveLength(40);
    expect(exits).toEqual([]);
    for (let i = 0; i < 30 && exits.length === 0; i++) process.emit('uncaughtException', new Error('again'));
    expect(exits).toEqual([70]);
    expect(lines[0]).toMatch(
      /^spillway: ends itself: 2\d errors in 60 s that nothing caught \(the last: again\)/,
    );
    remove();
    expect(process.listenerCount('uncaughtException') + process.listenerCount('unhandledRejection')).toBe(0);
  });
});

describe('a part that throws', () => {
  it('is logged the first time, the 10th and the 100th, reported with its count, and forgotten when it is over', () => {
    let nowMs = NOW_MS;
    const lines: string[] = [];
    const health = new OwnHealth({ now: () => nowMs, warn: (line) => void lines.push(line) });
    for (let i = 0; i < 120; i++)
      health.guard('rule queue.stuck', () => {
        throw new Error('no such thing');
      }, []);
    expect(lines).toHaveLength(3);
    nowMs += 60_000;
    expect(health.problems()).toMatchObject([
      { code: 'fault', subject: 'rule queue.stuck', text: expect.stringMatching(/120 times in 1 min/) },
    ]);
    nowMs += 5 * 60_000;
    expect(health.problems()).toEqual([]);
  });

  it('of signals costs their own values only: metrics go on', () => {
    // As if Redis had told of a queue what no version of BullMQ does.
    const odd = { ...aQueue({ id: 'bull:odd' }), counts: undefined } as unknown as ReturnType<typeof aQueue>;
    const faults = new Set<string>();
    const stop = onSignalFault((signal) => faults.add(signal));
    const snapshot = aSnapshot({ queues: [aQueue({ id: 'bull:mail' })] });
    const options = { nowMs: NOW_MS, maxQueues: 10 };
    const families = [...collectMetrics([{ ...snapshot, queues: [...snapshot.queues, odd] }], options)];
    stop();
    const one = [...faults].find((name) => name.startsWith('queue_'));
    const waiting = families.find(({ name }) => name === `spillway_${one}`);
    expect(waiting?.samples.map(({ labels }) => labels.queue)).toContain('bull:mail');
    expect(families.length).toBeGreaterThan(30);
  });
});

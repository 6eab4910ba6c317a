import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { held, runDrillToEnd } from '../support/drill.js';

/** Everything that a drill puts on disk goes here, so that what it leaves behind is seen. */
const scratch = mkdtempSync(join(tmpdir(), 'spillway-test-drills-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

interface Played {
  readonly name: string;
  readonly args?: readonly string[];
  /** What the account must say to hold. */
  readonly claims: readonly string[];
}

/** In a small Redis, and the backlog at the end of the first smaller than by itself. */
const SMALL = ['--maxmemory', '24'];

/**
 * One round after the other, as side by side they would starve each other. Surges take what two cores have; of others two
 * go together, as most of their time is waiting.
 */
const ROUNDS: readonly (readonly Played[])[] = [
  [
    {
      name: 'full-redis',
      args: SMALL,
      claims: [
        'before: stock queue.pause() is refused',
        'before: restarted workers complete nothing',
        'after: writes succeed',
        'after: workers drain both queues',
        'one order raises the concurrency of the running worker',
        'alert redis-filling fires',
        'alert redis-full fires',
        'alert redis-full is over afterwards, notified once',
        'nobody is notified of what did not happen',
        'somebody is sent one message when redis-full fires, and one when it is over',
        'it says what is wrong, since when, the evidence, the first remedy and where to look',
        'every message is signed with the secret, and none was sent twice',
        '100000 batched jobs drain within 30 s of that request',
        'Redis memory falls by at least 95%',
        'no job lost in analytics',
        'no job lost in api-requests',
      ],
    },
  ],
  [
    {
      name: 'full-redis-policy',
      args: SMALL,
      claims: [
        'analytics jobs are parked before memory runs out, and of no other queue',
        'without it Redis would have been full',
        'all that was parked comes back by itself, and the backlog drains',
        'alert redis-filling fires',
        'alert redis-filling is over afterwards, notified at most 3 times',
        'nobody is notified of what did not happen',
        'Redis has never refused a job of the API',
        'the timeline shows what was parked and what was brought back',
        'every parked job has run exactly once, by id',
        'every job of analytics has run exactly once, by id',
        'every job of api-requests has run exactly once, by id',
      ],
    },
  ],
  [
    {
      name: 'overloaded-layer',
      // The replay of its second part, smaller than by itself.
      args: ['--jobs', '1200'],
      claims: [
        'no false verdict in 20 s of steady load',
        'left-1 is named crashed',
        'left-2 is named crashed',
        'left-3 is named stuck',
        'right-1 is named outlier',
        'the survivors of the left queue are named overloaded',
        'and nobody is named wrongly',
        'one action raises the capacity of both queues',
        'and the backlog falls',
        'which brings down the time from adding a job to its end',
        'auto-throttle slows the replay to half or less by itself, and names the live wait',
        'live jobs wait at most twice as long as normally, with half of the workers and the replay going on',
        'one action pauses all replays',
        'and nothing is moved from its answer on',
        'one action lets them go on, at a rate for all',
        'they finish, every job of theirs replayed and succeeded',
        'alert workers layer-left left-1 fires',
        'alert workers layer-left left-2 fires',
        'alert workers layer-left left-3 fires',
        'alert workers layer-right right-1 fires',
        'alert queue-overloaded layer-left fires',
        'alert workers layer-left left-4 fires',
        'alert type-failing layer-left forward fires',
        'nobody is notified of what did not happen',
        'no replayed job lost and none doubled in layer-left, by id',
        'no replayed job lost and none doubled in layer-right, by id',
        'no job lost in layer-left',
        'no job lost in layer-right',
      ],
    },
    {
      name: 'silent-subscriber',
      claims: [
        'everything is heard after the failover',
        'the failover is on the timeline',
        'the deaf worker is named silent',
        'and found, and no other worker is',
        'reconnected by the remedy of the finding, it takes jobs again without a restart',
        'alert workers reports deaf-one fires',
        'alert workers reports deaf-one is over afterwards, notified once',
        'nobody is notified of what did not happen',
      ],
    },
  ],
  [
    {
      name: 'noisy-neighbour',
      claims: [
        'the probes of both queues wait ten times as long, or longer',
        'the source is named by a finding, and it is the right one',
        'its evidence names both queues that are held up',
        'no probe queue is named as a source',
        'it offers to hold back the source, and the source alone',
        'the tenant that holds most of the source is named to an operator, and it is the right one',
        'and not to a viewer, who may not see job data',
        'the source alone is capped',
        'probes wait at most twice as long as normally within 20 s',
        'and the resync goes on at its cap',
        'alert noisy-neighbour resync fires',
        'alert noisy-neighbour resync is over afterwards, notified once',
        'nobody is notified of what did not happen',
        'no job lost in probes-a',
        'no job lost in probes-b',
        'no job lost in resync',
      ],
    },
    {
      name: 'failed-deploy',
      claims: [
        'before: jobs of all four types complete, and none fails',
        'after: about nine of ten match-event fail, and are kept',
        'after: no other type fails',
        'the deploy is on the timeline, at its time',
        'the failing type is named: match-event',
        'and no healthy type is',
        'its first failure is given to within 5 s',
        'the error is shown',
        'the deploy is shown beside it',
        'the type that stopped coming is named: cache-flush',
        'and no type that still comes is',
        'under way the account adds up, and says that the range is not covered yet',
        'what failed of the one type, in the time range, and nothing else was replayed, by id',
        'the account adds up: matched = replayed + skipped + remaining',
        'and replayed = succeeded + failed again + open',
        'the time range is covered, and what is missing is named',
        'alert type-failing monitors match-event fires',
        'alert type-failing monitors match-event is over afterwards, notified once',
        'alert flush-missing monitors cache-flush fires',
        'alert flush-missing monitors cache-flush stays',
        'nobody is notified of what did not happen',
        'no job lost in monitors',
      ],
    },
  ],
];

for (const round of ROUNDS)
  describe(`played to its end: ${round.map(({ name }) => name).join(' and ')}`, () => {
    for (const { name, args = [], claims } of round)
      it.concurrent(`${name} is seen rightly and resolved through the JSON API alone, and leaves nothing behind`, {
        timeout: 380_000,
      }, async () => {
        const own = mkdtempSync(join(scratch, `${name}-`));
        const env = { ...process.env, TMPDIR: own };
        const { code, output, failed } = await runDrillToEnd(name, env, args, 375_000);
        expect(failed, output).toEqual([]);
        expect(code, output).toBe(0);
        for (const claim of claims) expect(output).toMatch(held(claim));
        expect(readdirSync(own)).toEqual([]);
      });
  });

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { statusUpdateOf } from '../../../server/timeline/incident/status-update.js';
import { anEpisode, aPull, MINUTE_MS, someFacts } from '../../support/incident.js';
import { NOW_MS } from '../../support/snapshot.js';

const mail = { affects: 'Sending of e-mail', severity: 'critical' as const };
const refused = [{ name: 'writes-refused', label: 'rejected', value: 33, unit: 'count/s' as const }];
const open = anEpisode({ endedAtMs: null, worst: refused });
const CLOSED = { toMs: NOW_MS + 30 * MINUTE_MS, nowMs: NOW_MS + 31 * MINUTE_MS };

describe('while it lasts', () => {
  it('nothing is done yet: what is affected, since when, and when there is more', () => {
    expect(statusUpdateOf(mail, someFacts({ episodes: [open] }))).toBe(
      'Sending of e-mail: disrupted since 2026-01-02 03:04 UTC: some new requests are not accepted. We are looking for the cause; you will hear more by 03:39 UTC.',
    );
  });

  it('nothing was found: it is at least slow', () => {
    expect(statusUpdateOf(mail, someFacts())).toBe(
      'Sending of e-mail: delayed since 2026-01-02 03:04 UTC. We are looking for the cause; you will hear more by 03:39 UTC.',
    );
  });

  it('reads well whatever it is called, one thing, many, or a phrase', () => {
    const said = statusUpdateOf(
      { ...mail, affects: 'API requests refused' },
      someFacts({ episodes: [open] }),
    );
    expect(said).toMatch(/^API requests refused: disrupted since /);
  });

  it('what is called nothing yet is said in general words', () => {
    expect(statusUpdateOf({ ...mail, affects: ' ' }, someFacts())).toMatch(
      /^Some of our background processing: delayed/,
    );
  });

  it('a warning is heard of again after an hour', () => {
    expect(statusUpdateOf({ ...mail, severity: 'warning' }, someFacts())).toMatch(/by 04:09 UTC\.$/);
  });

  it('failing and growing at once: both are said', () => {
    const episodes = [
      anEpisode({ code: 'jobtype.failing', endedAtMs: null }),
      anEpisode({ id: 's2', code: 'queue.growing', endedAtMs: null }),
    ];
    expect(statusUpdateOf(mail, someFacts({ episodes }))).toMatch(
      /disrupted since 2026-01-02 03:04 UTC: some requests fail and others are delayed\./,
    );
  });

  it.each([
    ['queue.pause', 'paused part of the work to protect the rest'],
    ['queue.resume', 'resumed work that had been paused'],
    ['queue.rate-limit', 'changed the pace of the work'],
    ['workers.concurrency', 'changed how much is worked on at once'],
    ['redis.raise-maxmemory', 'added capacity'],
    ['queue.trim-events', 'freed capacity'],
    ['queue.park', 'set waiting work safely aside'],
    ['queue.unpark', 'began to bring back the work that was set aside'],
    ['replay.start', 'began to run failed work again'],
    ['a.action-of-next-year', 'made a change'],
  ])('the last action %s is told in plain words', (action, words) => {
    const entries = [aPull('queue.pause', { id: 'a0', atMs: NOW_MS }), aPull(action)];
    expect(statusUpdateOf(mail, someFacts({ episodes: [open], entries }))).toContain(
      `We ${words} at 03:07 UTC and are working on it;`,
    );
  });

  it('an action that was refused is no action', () => {
    const entries = [aPull('queue.pause', {}, { status: 'refused' })];
    expect(statusUpdateOf(mail, someFacts({ episodes: [open], entries }))).toContain('looking for the cause');
  });

  it('it is over but not closed: first recovering, then watched', () => {
    const episodes = [anEpisode({ endedAtMs: NOW_MS + 3 * MINUTE_MS })];
    expect(statusUpdateOf(mail, someFacts({ episodes }))).toContain(
      'It has been recovering since 03:07 UTC, and we are watching it; you will hear',
    );
    expect(statusUpdateOf(mail, someFacts({ episodes, nowMs: NOW_MS + 20 * MINUTE_MS }))).toContain(
      'It has worked normally since 03:07 UTC, and we are making sure that it stays so;',
    );
  });
});

describe('once it is closed', () => {
  it('delayed: from when to when, and nothing to do', () => {
    expect(
      statusUpdateOf(mail, someFacts({ ...CLOSED, episodes: [anEpisode({ code: 'queue.growing' })] })),
    ).toBe(
      'Sending of e-mail: delayed from 2026-01-02 03:04 UTC to 03:34 UTC; works normally again. No work is known to be lost, and there is nothing you need to do.',
    );
  });

  it('the day is said again where it is another', () => {
    expect(statusUpdateOf(mail, someFacts({ toMs: NOW_MS + 24 * 60 * MINUTE_MS }))).toContain(
      'to 2026-01-03 03:04 UTC;',
    );
  });

  it('requests that were refused have to come again', () => {
    const episodes = [anEpisode({ worst: refused })];
    expect(statusUpdateOf(mail, someFacts({ ...CLOSED, episodes }))).toMatch(
      /requests that were not accepted have to be sent again\.$/,
    );
  });

  it('no customer reads that requests were refused where none was, or where nothing was measured', () => {
    const none = [{ name: 'writes-refused', label: 'rejected', value: 0, unit: 'count/s' as const }];
    const measured = statusUpdateOf(mail, someFacts({ ...CLOSED, episodes: [anEpisode({ worst: none })] }));
    expect(measured).not.toMatch(/accepted/);
    const unknown = statusUpdateOf(mail, someFacts({ ...CLOSED, episodes: [anEpisode()] }));
    expect(unknown).toMatch(/may not have been accepted.*we are checking whether requests were not accepted/);
    const blind = anEpisode({ code: 'redis.unreachable', worst: [] });
    const unseen = statusUpdateOf(mail, someFacts({ ...CLOSED, episodes: [blind] }));
    expect(unseen).not.toMatch(/accepted\b.*have to be sent again/);
    expect(unseen).toContain('(for 12 min of this time our own monitoring could not see)');
  });

  it('what failed and was not replayed is not called mended', () => {
    const episodes = [anEpisode({ code: 'jobtype.failing' })];
    expect(statusUpdateOf(mail, someFacts({ ...CLOSED, episodes }))).toMatch(
      /checking which of the failed requests/,
    );
  });

  it('after a failover nobody claims that nothing was lost', () => {
    const entries = [aPull('queue.pause', { kind: 'redis.failover', audited: null })];
    expect(statusUpdateOf(mail, someFacts({ ...CLOSED, entries }))).toMatch(
      /checking whether any of the work was lost/,
    );
  });

  it('a trouble that lasts is not called over, whoever closed the incident', () => {
    const text = statusUpdateOf(mail, someFacts({ ...CLOSED, episodes: [open] }));
    expect(text).not.toMatch(/works normally again/);
    expect(text).toMatch(/to 03:34 UTC .*\)\. We are still watching it/);
  });

  it('parked work that is not back is said', () => {
    const parkings = [
      { id: 'p', queue: 'bull:mail', actor: 'ana', parked: 9, restored: 4, present: 0, remaining: 5 },
    ];
    expect(statusUpdateOf(mail, someFacts({ ...CLOSED, parkings }))).toMatch(/still being caught up on/);
  });
});

it('whatever happened: two sentences, and none of the words that customers do not know', () => {
  const code = fc.constantFrom(
    'redis.full',
    'queue.stuck',
    'jobtype.failing',
    'worker.crashed',
    'memory.events',
  );
  const action = fc.constantFrom(
    'queue.pause',
    'queue.park',
    'redis.raise-maxmemory',
    'workers.concurrency',
    'x',
  );
  fc.assert(
    fc.property(
      fc.array(fc.record({ code, isOver: fc.boolean() }), { maxLength: 5 }),
      fc.array(action, { maxLength: 3 }),
      fc.boolean(),
      (found, actions, isClosed) => {
        const text = statusUpdateOf(
          mail,
          someFacts({
            ...(isClosed ? CLOSED : {}),
            episodes: found.map((one, i) =>
              anEpisode({ id: `s${i}`, code: one.code, endedAtMs: one.isOver ? NOW_MS + MINUTE_MS : null }),
            ),
            entries: actions.map((name) => aPull(name)),
          }),
        );
        expect(text.match(/\.( |$)/g)).toHaveLength(2);
        expect(text).not.toMatch(/redis|queue|worker|job|action|bull|undefined|NaN|null/i);
      },
    ),
  );
});

import { describe, expect, it } from 'vitest';
import type { ActivityEntry } from '../../server/model/activity-entry.js';
import { findingKey } from '../../server/model/finding.js';
import type { Episode } from '../../server/timeline/episode.js';
import { type ActivityFacts, groupActivity } from '../../server/timeline/group-activity.js';
import { anEntry, anEpisode, aPull, MINUTE_MS } from '../support/incident.js';
import { NOW_MS } from '../support/snapshot.js';

const at = (minutes: number): number => NOW_MS + minutes * MINUTE_MS;

function rows(facts: Partial<ActivityFacts>) {
  return groupActivity({
    entries: [],
    episodes: [],
    alerts: [],
    titleOf: (action) => `title of ${action}`,
    ...facts,
  });
}

/** What is recorded of an episode. */
function told(episode: Episode, worseAtMs?: number): readonly ActivityEntry[] {
  const of = (kind: string, atMs: number): ActivityEntry =>
    anEntry({
      id: `${episode.id}-${kind}`,
      atMs,
      kind: `finding.${kind}`,
      group: 'findings',
      ref: episode.id,
    });
  return [
    of('began', episode.beganAtMs),
    ...(worseAtMs === undefined ? [] : [of('worsened', worseAtMs)]),
    ...(episode.endedAtMs === null ? [] : [of('ended', episode.endedAtMs)]),
  ];
}

function anAlert(id: string, firing: number, resolved: number, over: Partial<ActivityEntry> = {}) {
  const of = (kind: string, minutes: number): ActivityEntry =>
    anEntry({
      id: `${id}-${kind}`,
      ref: id,
      atMs: at(minutes),
      kind: `alert.${kind}`,
      group: 'alerts',
      ...over,
    });
  return [of('firing', firing), of('resolved', resolved)];
}

const onQueue = (id: string, code: string, beganAtMs: number, over: Partial<Episode> = {}): Episode =>
  anEpisode({
    id,
    code,
    beganAtMs,
    queue: 'bull:mail',
    node: null,
    key: findingKey({ code, instance: 'default', queue: 'bull:mail', node: null }),
    severity: 'warning',
    headline: `${code} it is`,
    ...over,
  });

describe('one row for one trouble', () => {
  it('holds its beginning, its worsening, its end and every alert about it', () => {
    const full = anEpisode();
    const entries = [
      ...told(full, at(1)),
      ...anAlert('a', 2, 13),
      ...anAlert('b', 3, 13),
      ...anAlert('c', 4, 13, { queue: 'bull:mail' }),
    ];
    const [row, ...others] = rows({
      episodes: [full],
      entries,
      alerts: [
        { id: 'a', findingKey: full.key, code: full.code },
        { id: 'b', findingKey: null, code: 'signal:redis_used_ratio' },
        { id: 'c', findingKey: null, code: 'signal:queue_backlog_jobs' },
      ],
    });
    expect(others).toEqual([]);
    expect(row?.entries).toHaveLength(entries.length);
    expect(row).toMatchObject({ headline: 'Redis was full', alerts: 3, state: 'critical', toMs: at(12) });
    expect(row?.detail).toBe('used of limit 112%');
    expect(row?.spans).toMatchObject([
      { fromMs: NOW_MS, toMs: at(1), state: 'warning' },
      { fromMs: at(1), toMs: at(12), state: 'critical' },
    ]);
  });

  it('goes on while the trouble comes back within a minute, and a Redis that filled is the one that is full', () => {
    const filling = anEpisode({
      id: 'filling',
      code: 'redis.filling',
      headline: 'Redis full in 8 s',
      endedAtMs: at(2),
    });
    const full = anEpisode({ id: 'full', beganAtMs: at(2), endedAtMs: at(4) });
    const again = anEpisode({ id: 'again', beganAtMs: at(4.5), endedAtMs: null });
    const later = anEpisode({ id: 'later', beganAtMs: at(30), endedAtMs: at(31) });
    const found = rows({
      episodes: [filling, full, again],
      entries: [filling, full, again].flatMap((one) => told(one)),
    });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ fromMs: NOW_MS, toMs: null, headline: 'Redis is full' });
    expect(found[0]?.detail).toMatch(/^2 times/);
    const apart = [full, later];
    expect(rows({ episodes: apart, entries: apart.flatMap((one) => told(one)) })).toHaveLength(2);
  });

  it('stands under what it follows from, and by itself where that came later', () => {
    const full = anEpisode();
    const stuck = onQueue('stuck', 'queue.stuck', at(1));
    const growing = onQueue('growing', 'queue.growing', at(-5));
    const episodes = [stuck, full, growing];
    const found = rows({ episodes, entries: episodes.flatMap((one) => told(one)) });
    expect(found.map(({ headline, follows }) => [headline, follows === null])).toEqual([
      ['Redis was full', true],
      ['queue.stuck it is (mail)', false],
      ['queue.growing it is (mail)', true],
    ]);
    expect(found[1]?.follows).toBe(found[0]?.id);
  });

  it('of another Redis, or long before or after, an alert stands by itself, from its firing to its end', () => {
    const full = anEpisode();
    const found = rows({
      episodes: [full],
      entries: [
        ...told(full),
        ...anAlert('there', 2, 5, { instance: 'other' }),
        ...anAlert('late', 40, 45),
        anEntry({ id: 'old', kind: 'alert.firing', group: 'alerts', atMs: at(3) }),
      ],
      alerts: ['there', 'late'].map((id) => ({ id, findingKey: full.key, code: full.code })),
    });
    expect(found.map(({ id, toMs }) => [id, toMs])).toEqual([
      ['late-firing', at(45)],
      ['old', null],
      ['there-firing', at(5)],
      ['episode-1-began', at(12)],
    ]);
  });
});

describe('what else happened', () => {
  it('one order to several targets is one row, with its title; another order is another', () => {
    const found = rows({
      entries: [
        aPull('queue.concurrency', { id: '1', queue: 'bull:a', atMs: at(1) }),
        aPull('queue.concurrency', { id: '2', queue: 'bull:b', atMs: at(1) + 500 }),
        aPull('queue.concurrency', { id: '3', queue: 'bull:a', atMs: at(2) }),
        aPull('queue.park', { id: '4', queue: 'bull:a', atMs: at(2) }, { status: 'failed' }),
      ],
    });
    expect(found.map(({ headline }) => headline)).toEqual([
      'title of queue.park: failed',
      'title of queue.concurrency',
      'title of queue.concurrency, 2 targets',
    ]);
  });

  it('workers that come and go with a deploy are one row that counts them', () => {
    const of = (id: string, kind: string, minutes: number, queue: string): ActivityEntry =>
      anEntry({ id, kind, queue, atMs: at(minutes) });
    const [row, ...others] = rows({
      entries: [
        of('1', 'worker.left', 1, 'bull:a'),
        of('2', 'worker.left', 1.1, 'bull:b'),
        of('3', 'worker.crashed', 1.2, 'bull:c'),
        of('4', 'worker.joined', 1.3, 'bull:a'),
      ],
    });
    expect(others).toEqual([]);
    expect(row?.headline).toBe('1 worker crashed, 2 stopped, 1 started: a, b and 1 more');
  });

  it('a Redis that could not be reached lasts until it is back', () => {
    const of = (id: string, kind: string, minutes: number): ActivityEntry =>
      anEntry({
        id,
        kind,
        group: 'redis',
        atMs: at(minutes),
        state: kind === 'redis.back' ? 'calm' : 'critical',
      });
    const found = rows({ entries: [of('1', 'redis.unreachable', 1), of('2', 'redis.back', 3)] });
    expect(found).toHaveLength(1);
    expect(found[0]?.spans).toEqual([{ fromMs: at(1), toMs: at(3), state: 'critical', entry: '1' }]);
  });

  it('what was audited and reported in the same words at once is there once', () => {
    const text = 'ana has ended the silence of everything.';
    const found = rows({
      entries: [
        anEntry({ id: '1', kind: 'silence.ended', group: 'alerts', text, atMs: at(1) }),
        aPull('silence.end', { id: '2', text, atMs: at(1) }),
      ],
    });
    expect(found.map(({ id }) => id)).toEqual(['1']);
  });

  it('nothing of what was recorded is missing from the rows, whatever it is', () => {
    const full = anEpisode();
    const unknown = anEntry({
      id: 'gone',
      kind: 'finding.ended',
      group: 'findings',
      ref: 'gone',
      atMs: at(9),
    });
    const entries = [
      ...told(full),
      unknown,
      anEntry({ id: 'x', kind: 'policy.acted', group: 'replays' }),
      anEntry({ id: 'y', kind: 'marker.deploy', group: 'markers' }),
    ];
    const found = rows({ episodes: [full], entries });
    expect(found.flatMap(({ entries: of }) => of.map(({ id }) => id)).sort()).toEqual(
      entries.map(({ id }) => id).sort(),
    );
  });
});

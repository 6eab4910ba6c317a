import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CurrentFinding, Finding } from '../../server/model/finding.js';
import type { Episode } from '../../server/timeline/episode.js';
import { episodeInWords } from '../../server/timeline/episode-keeper.js';
import {
  BEGIN_HELD_MS,
  END_HELD_MS,
  type EpisodeEvent,
  type OpenEpisode,
  RESUMED_HELD_MS,
  resumedEpisodes,
  stepEpisodes,
} from '../../server/timeline/step-episodes.js';
import { aFinding as someFinding } from '../support/alerts.js';
import { NOW_MS } from '../support/snapshot.js';

const aFinding = (over: Partial<CurrentFinding> = {}) =>
  someFinding({
    code: 'queue.growing',
    queue: 'bull:mail',
    headline: 'Backlog grows',
    evidence: [{ name: 'waiting', label: 'waiting', value: 100, unit: 'jobs' }],
    ...over,
  });

/** Ticks once a second; each step says for how long what is found. */
function tell(
  steps: readonly (readonly [seconds: number, findings: readonly Finding[], isLive?: boolean])[],
  start: readonly OpenEpisode[] = [],
): { readonly told: readonly EpisodeEvent[]; readonly open: readonly OpenEpisode[] } {
  let open = start;
  let nowMs = NOW_MS;
  let ids = 0;
  const told: EpisodeEvent[] = [];
  for (const [seconds, findings, isLive = true] of steps)
    for (let i = 0; i < seconds; i += 1) {
      nowMs += 1_000;
      const step = stepEpisodes(open, { instance: 'default', findings, isLive, nowMs }, () => {
        ids += 1;
        return `s${ids}`;
      });
      open = step.open;
      told.push(...step.events);
    }
  return { told, open: open.filter(({ life }) => life.state === 'firing') };
}
const kinds = (told: readonly EpisodeEvent[]) => told.map(({ kind, episode }) => `${kind} ${episode.code}`);
const held = BEGIN_HELD_MS / 1000 + 1;
const gone = END_HELD_MS / 1000 + 1;

describe('a finding in the timeline', () => {
  it('begins, with the moment at which it was first found, and ends with how long it lasted and its worst', () => {
    const worse = aFinding({ evidence: [{ name: 'waiting', label: 'waiting', value: 9_000, unit: 'jobs' }] });
    const { told } = tell([
      [30, [aFinding()]],
      [30, [worse]],
      [30, [aFinding()]],
      [gone, []],
    ]);
    expect(kinds(told)).toEqual(['began queue.growing', 'ended queue.growing']);
    expect(told[0]?.atMs).toBe(NOW_MS + 1_000);
    expect(told[1]?.episode).toMatchObject({ beganAtMs: NOW_MS + 1_000, endedAtMs: NOW_MS + 91_000 });
    expect(told.map(episodeInWords)).toEqual([
      'Backlog grows (mail). At first: waiting 100 jobs.',
      'Backlog grows (mail): over after 1 min 30 s. At worst: waiting 9,000 jobs.',
    ]);
  });

  it('goes on when evidence is worded anew, as numbers go by their names', () => {
    const relabelled = aFinding({
      evidence: [{ name: 'waiting', label: 'backlog', value: 300, unit: 'jobs' }],
    });
    const { told } = tell([
      [30, [aFinding()]],
      [30, [relabelled]],
      [gone, []],
    ]);
    expect(told.at(-1)?.episode.worst).toEqual([
      { name: 'waiting', label: 'backlog', value: 300, unit: 'jobs' },
    ]);
  });

  it('goes on as one while its code changes between growing and overloaded, and takes the worst of both', () => {
    const overloaded = aFinding({
      code: 'queue.overloaded',
      severity: 'critical',
      headline: 'Overloaded',
      evidence: [{ name: 'waiting', label: 'waiting', value: 900, unit: 'jobs' }],
    });
    const { told } = tell([
      [30, [aFinding()]],
      [30, [overloaded]],
      [30, [aFinding()]],
      [gone, []],
    ]);
    expect(kinds(told)).toEqual(['began queue.growing', 'worsened queue.growing', 'ended queue.growing']);
    expect(told.at(-1)?.episode).toMatchObject({ headline: 'Overloaded', beganAtMs: NOW_MS + 1_000 });
    expect(told.at(-1)?.episode.worst).toMatchObject([{ name: 'waiting', label: 'waiting', value: 900 }]);
  });

  it('that flickers is not recorded, neither its coming nor its going', () => {
    const { told } = tell([
      [3, [aFinding()]],
      [2, []],
      [3, [aFinding()]],
      [60, []],
    ]);
    expect(told).toEqual([]);
    const gap = tell([
      [held, [aFinding()]],
      [END_HELD_MS / 1000 - 2, []],
      [10, [aFinding()]],
    ]);
    expect(kinds(gap.told)).toEqual(['began queue.growing']);
  });

  it('that is only a note is not recorded', () => {
    expect(tell([[60, [aFinding({ severity: 'info' })]]]).told).toEqual([]);
  });

  it('that becomes critical and stays so is recorded again, once', () => {
    const critical = aFinding({ severity: 'critical', headline: 'Stuck' });
    const { told } = tell([
      [held, [aFinding()]],
      [2, [critical]],
      [5, [aFinding()]],
      [30, [critical]],
      [30, [aFinding()]],
    ]);
    expect(kinds(told)).toEqual(['began queue.growing', 'worsened queue.growing']);
    expect(told[1]?.episode).toMatchObject({ severity: 'critical', headline: 'Stuck' });
  });

  it('does not end while the console can not see, nor begin', () => {
    const { told } = tell([
      [held, [aFinding()]],
      [300, [], false],
      [held, [aFinding()]],
    ]);
    expect(kinds(told)).toEqual(['began queue.growing']);
    const seen = aFinding({ lastSeenAtMs: NOW_MS });
    expect(tell([[60, [seen], false]]).told).toEqual([]);
  });

  it('that is reported by another, which explains it or stands for many queues, has not ended', () => {
    const full = aFinding({
      code: 'redis.full',
      queue: null,
      severity: 'critical',
      explains: [{ code: 'queue.growing', queue: 'bull:mail', headline: 'Backlog grows' }],
    });
    expect(
      kinds(
        tell([
          [held, [aFinding()]],
          [60, [full]],
        ]).told,
      ),
    ).toEqual(['began queue.growing', 'began redis.full']);
    const many = aFinding({ queue: null, queues: ['bull:mail', 'bull:b'] });
    expect(
      kinds(
        tell([
          [held, [aFinding()]],
          [60, [many]],
          [60, [aFinding()]],
        ]).told,
      ),
    ).toEqual(['began queue.growing', 'began queue.growing']);
  });

  it('of one Redis does not end because another ticks', () => {
    const { open } = tell([[held, [aFinding()]]]);
    const step = stepEpisodes(
      open,
      { instance: 'other', findings: [], isLive: true, nowMs: NOW_MS + 3_600_000 },
      () => 'x',
    );
    expect(step.events).toEqual([]);
    expect(step.open).toHaveLength(1);
  });
});

describe('after a restart of the console', () => {
  const open = (): readonly Episode[] => tell([[60, [aFinding()]]]).open.map(({ episode }) => episode);

  it('what is still found is not begun twice, and ends as if nothing had been', () => {
    const { told } = tell(
      [
        [20, []],
        [60, [aFinding()]],
        [gone, []],
      ],
      resumedEpisodes(open()),
    );
    expect(kinds(told)).toEqual(['ended queue.growing']);
    expect(told[0]?.isUnseen).toBe(false);
  });

  it('what is not found any more ended while nobody looked, and that is said', () => {
    const { told } = tell([[RESUMED_HELD_MS / 1000 + 2, []]], resumedEpisodes(open()));
    expect(kinds(told)).toEqual(['ended queue.growing']);
    expect(told.map(episodeInWords)[0]).toMatch(
      /over\. It ended while the console was not running; it was last seen after 59 s/,
    );
  });

  it('nothing is said to be over before the console has looked long enough to know', () => {
    expect(tell([[RESUMED_HELD_MS / 1000 - 2, []]], resumedEpisodes(open())).told).toEqual([]);
    expect(tell([[3_600, [], false]], resumedEpisodes(open())).told).toEqual([]);
  });
});

it('whatever is found when: each episode begins once, before it ends once, and what is open has begun', () => {
  const queue = fc.constantFrom('bull:a', 'bull:b');
  const severity = fc.constantFrom('info' as const, 'warning' as const, 'critical' as const);
  const step = fc.tuple(
    fc.integer({ min: 1, max: 30 }),
    fc.uniqueArray(fc.record({ queue, severity }), { selector: (one) => one.queue, maxLength: 2 }),
    fc.boolean(),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const { told, open } = tell(
        steps.map(
          ([seconds, found, isLive]) => [seconds, found.map((one) => aFinding(one)), isLive] as const,
        ),
      );
      const of = (kind: EpisodeEvent['kind']) =>
        told.filter((event) => event.kind === kind).map(({ episode }) => episode.id);
      expect(new Set(of('began')).size).toBe(of('began').length);
      expect(new Set(of('ended')).size).toBe(of('ended').length);
      expect([...of('ended'), ...open.map(({ episode }) => episode.id)].sort()).toEqual(
        [...of('began')].sort(),
      );
      for (const { kind, episode } of told)
        if (kind === 'ended') expect(episode.endedAtMs ?? 0).toBeGreaterThanOrEqual(episode.beganAtMs);
    }),
  );
});

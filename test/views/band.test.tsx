import { describe, expect, it } from 'vitest';
import { detectFindings } from '../../server/findings/index.js';
import { trackFindings } from '../../server/findings/track.js';
import { DEFAULT_THRESHOLDS } from '../../server/model/finding.js';
import type { MemoryForecast, Snapshot } from '../../server/model/snapshot.js';
import { Band, type BandProps } from '../../views/band.js';
import { rendered, textIn } from '../support/rendered.js';
import { aFullNode, aNode, aSnapshot, MB, NOW_MS } from '../support/snapshot.js';

const MINUTE = 60_000;
const forecast: MemoryForecast = {
  growthBytesPerSecond: MB,
  growthRange: [MB, MB],
  fullInSeconds: 490,
  fullInRange: [430, 660],
  notKnown: null,
  windowMs: 60_000,
};

function cardOf(over: Parameters<typeof aSnapshot>[0], past: BandProps['past'] = null) {
  const snapshot: Snapshot = aSnapshot(over);
  const findings = trackFindings([], detectFindings(snapshot, NOW_MS, DEFAULT_THRESHOLDS), NOW_MS);
  const problem = findings.find(({ code }) => code.startsWith('redis.')) ?? null;
  const html = rendered(<Band snapshot={snapshot} problem={problem} nowMs={NOW_MS} past={past} />);
  const facts = [...html.matchAll(/<dt>([^<]*)(?:<a[^>]*>\?<\/a>)?<\/dt><dd>([^<]*)<\/dd>/g)];
  return {
    state: /class="band state-([a-z]+)"/.exec(html)?.[1],
    headline: textIn(/<p class="band-headline">(.*?)<\/p>/s.exec(html)?.[1] ?? ''),
    curve: /class="curve [^>]*aria-label="([^"]*)"/.exec(html)?.[1] ?? '',
    facts: Object.fromEntries(facts.map(([, label, value]) => [label, value])),
    html,
  };
}

describe('the card of a Redis', () => {
  it('says in words and numbers when it will be full, and draws it', () => {
    const { state, facts, curve } = cardOf({ nodes: [aNode({ countedBytes: 60 * MB, forecast })] });
    expect(state).toBe('warning');
    expect(facts).toMatchObject({
      Used: '60 MB of 100 MB',
      Trend: '↑ 1.0 MB/s',
      'Full at': '03:11 to 03:15 UTC',
    });
    expect(curve).toContain('60 MB at 03:04 UTC, highest 60 MB; limit 100 MB; full at 03:11 to 03:15 UTC');
  });

  it('shows what became of it lately: its memory, when it rejected writes, and what was done', () => {
    const { curve, html } = cardOf(
      { nodes: [aNode({ countedBytes: 40 * MB })] },
      {
        held: [
          { atMs: NOW_MS - 20 * MINUTE, value: 99 * MB },
          { atMs: NOW_MS - 10 * MINUTE, value: null },
        ],
        limit: [],
        rejected: [{ fromMs: NOW_MS - 20 * MINUTE, toMs: NOW_MS - 18 * MINUTE, label: 'writes rejected' }],
        pins: [{ atMs: NOW_MS - 18 * MINUTE, kind: 'action', label: 'trimmed events of mail' }],
      },
    );
    expect(curve).toContain('highest 99 MB');
    expect(curve).toContain('writes rejected from 02:44 to 02:46; 02:46 trimmed events of mail');
    // No glyph without a word.
    expect(textIn(/<div class="curve-legend">(.*?)<\/div>/s.exec(html)?.[1] ?? '')).toBe(
      'writes rejected action',
    );
  });

  it('keeps the limit in sight when more than that is held', () => {
    const { curve, headline, facts } = cardOf({ nodes: [aFullNode()] });
    expect(curve).toMatch(/110 MB at .*limit 100 MB/);
    expect([headline, facts.Used, facts['Full at']]).toEqual(['110% full', '110 MB of 100 MB', 'full now']);
  });

  it('says that a forecast is not known instead of one number out of a wide range', () => {
    const notKnown = 'the trend of the last 20 s allows anything from 48 s to 2 h 54 min';
    const wide = { ...forecast, fullInSeconds: null, fullInRange: [48, 10_440] as const, notKnown };
    const { facts, html, curve } = cardOf({ nodes: [aNode({ countedBytes: 60 * MB, forecast: wide })] });
    expect(facts['Full at']).toBe('not known');
    expect(html).toContain(`title="Not known: ${notKnown}"`);
    expect(curve).not.toContain('full at');
  });

  it('never looks calm when its data are old', () => {
    const old = cardOf({ link: { status: 'stale', lastReadAtMs: NOW_MS - 12_000, problem: 'no answer' } });
    expect([old.state, old.headline]).toEqual(['blind', 'seen 12 s ago']);
    // The link still says live, but nothing was read for too long.
    expect(cardOf({ link: { lastReadAtMs: NOW_MS - 60_000 } }).state).toBe('blind');
  });
});

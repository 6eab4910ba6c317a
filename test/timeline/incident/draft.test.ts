import { expect, it } from 'vitest';
import { type DraftWords, draftOf } from '../../../server/timeline/incident/draft.js';
import { anEntry, anEpisode, aPull, MINUTE_MS, someFacts } from '../../support/incident.js';
import { NOW_MS } from '../../support/snapshot.js';

const words: DraftWords = {
  title: 'Redis full on Friday',
  severity: 'critical',
  createdBy: 'ana',
  affects: 'Sending of e-mail',
  notes: {},
};

it('a draft has every section, in order, with what only people know left to fill in', () => {
  const text = draftOf(words, someFacts({ episodes: [anEpisode()] }));
  const sections = [...text.matchAll(/^## (.+)$/gm)].map(([, title]) => title);
  expect(sections).toEqual([
    'Summary',
    'Impact',
    'Cause',
    'Timeline',
    'Actions',
    'What went well',
    'What went badly',
    'Next steps',
    'Not known',
  ]);
  expect(text.match(/_To be filled in\._/g)).toHaveLength(4);
  // Of the cause it says what findings said, until somebody writes it.
  expect(text).toContain(
    "- Redis was full: Pending track jobs of analytics take 90 MB, 80% of its memory. Producers can't add jobs; idle workers take none.",
  );
  expect(text).toContain('# Post-mortem: Redis full on Friday');
  expect(text).toContain('- Customers noticed: Sending of e-mail');
  expect(text).toContain('- Memory at its peak: 112% of the limit (as findings saw it)');
  expect(text).toContain('- Longest wait: unknown');
  expect(text).toContain('- Jobs lost: none known.');
});

it('the timeline is written in UTC with who did what, why, from what to what, and what people wrote on it', () => {
  const entries = [
    anEntry({ kind: 'marker.deploy', text: 'monitors 2.7.0', actor: 'pipeline', atMs: NOW_MS }),
    aPull(
      'queue.pause',
      { notes: [{ id: 'n', atMs: NOW_MS, actor: 'ben', text: 'this was it' }] },
      { changes: [{ label: 'flow', before: 'flowing', after: 'paused' }] },
    ),
    aPull('queue.resume', { id: 'a2' }, { status: 'refused', reason: '' }),
  ];
  const text = draftOf(words, someFacts({ entries }));
  expect(text).toContain('| 2026-01-02 03:04:05 | Deploy: monitors 2.7.0 (pipeline) |');
  expect(text).toContain('| 2026-01-02 03:07:05 | Done. (ana) — Note of ben: this was it |');
  expect(text).toContain(
    '- 2026-01-02 03:07:05 ana: queue.pause: Done. flow flowing → paused. Why: room first.',
  );
  expect(text).toContain('ana: queue.resume: Done. **refused**. Why: not said.');
});

it('names that mean something in Markdown or HTML are shown as they are', () => {
  const entries = [anEntry({ text: 'w|1 <script>alert(1)</script> *mail* [x](y)\n# no heading' })];
  const text = draftOf({ ...words, title: 'a_b `c`' }, someFacts({ entries }));
  expect(text).toContain('# Post-mortem: a\\_b \\`c\\`');
  expect(text).toContain('w\\|1 \\<script\\>alert(1)\\</script\\> \\*mail\\* \\[x\\](y) \\# no heading |');
});

it('what people wrote stands in its section, as their own Markdown', () => {
  const text = draftOf({ ...words, notes: { cause: 'A **batch** of\n\n- 2 things <b>' } }, someFacts());
  expect(text).toContain('## Cause\n\nA **batch** of\n\n- 2 things &lt;b>\n');
});

it('an open incident says how long it lasts so far, a closed one how long it did', () => {
  expect(draftOf(words, someFacts())).toContain(
    'From 2026-01-02 03:04 UTC until now (still open, 5 min so far)',
  );
  expect(draftOf(words, someFacts({ toMs: NOW_MS + 30 * MINUTE_MS }))).toContain(
    'to 2026-01-02 03:34 UTC (30 min)',
  );
});

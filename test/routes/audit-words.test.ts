import { describe, expect, test } from 'vitest';
import { ALL_INSTANCES } from '../../server/model/timeline-entry.js';
import { titleOfAction } from '../../server/routes/action-titles.js';
import { changesOfAction, subjectOfAction } from '../../server/routes/pages/audit.js';
import { type AuditInput, auditOf } from '../../server/timeline/audit-log.js';
import { reasonInWords } from '../../views/replay.js';

const NOW_MS = Date.UTC(2026, 0, 2, 3, 0, 0);
const ANN = { name: 'ann', role: 'admin', via: 'token' } as const;

const anIncident = (auditInput: Partial<AuditInput> = {}) =>
  auditOf('1', NOW_MS, ANN, {
    action: 'incident.open',
    instance: ALL_INSTANCES,
    args: { incident: 'i-1' },
    after: { title: 'Redis full', from: '2026-01-02T02:10:00.000Z', instances: '' },
    summary: 'Incident Redis full.',
    ...auditInput,
  });

describe('the list of actions', () => {
  test('names what people do in words, and leads to what it was about', () => {
    expect(titleOfAction('incident.open')).toBe('Declare an incident');
    expect(titleOfAction('queue.pause')).toBe('Pause');
    expect(subjectOfAction(anIncident())?.href).toBe('/incidents/i-1');
    expect(subjectOfAction(anIncident({ action: 'silence.end', args: {} }))?.href).toBe('/alerts');
    expect(subjectOfAction(anIncident({ action: 'channel.test', args: {} }))?.href).toBe('/channels');
  });

  test('an incident that is forgotten leads nowhere, as its page is gone', () => {
    expect(subjectOfAction(anIncident({ action: 'incident.remove' }))).toBeNull();
  });

  test('reports what has changed, moments as pages have them, and nothing of what was and is empty', () => {
    expect(changesOfAction(anIncident(), NOW_MS)).toEqual([
      { label: 'title', before: '', after: 'Redis full' },
      { label: 'from', before: '', after: '02:10:00 UTC' },
    ]);
    const emptied = anIncident({ before: { affects: 'checkout' }, after: { affects: '' } });
    expect(changesOfAction(emptied, NOW_MS)).toEqual([
      { label: 'affects', before: 'checkout', after: 'none' },
    ]);
  });
});

test('what the guard says of a replay is reported whole, and once', () => {
  const reason =
    'Paused by auto-throttle: 20 of the last 20 replayed jobs failed again. Find out why, then resume or abort it.';
  expect(reasonInWords(reason)).toBe(
    '20 of the last 20 replayed jobs failed again. Find out why, then resume or abort it.',
  );
});

test('an audit record of a plain success holds who, where and what, and nothing that was not said', () => {
  expect(anIncident()).toMatchObject({
    actor: 'ann',
    via: 'token',
    status: 'applied',
    undo: null,
    queue: null,
  });
});

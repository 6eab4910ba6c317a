import { expect, it } from 'vitest';
import { detectFindings } from '../../server/findings/index.js';
import { trackFindings } from '../../server/findings/track.js';
import { DEFAULT_THRESHOLDS } from '../../server/model/finding.js';
import type { Snapshot } from '../../server/model/snapshot.js';
import type { AppDeps } from '../../server/routes/app-deps.js';
import { verdictLineOf } from '../../server/routes/pages/verdict.js';
import { aFullNode, aSnapshot, NOW_MS } from '../support/snapshot.js';

function verdict(snapshot: Snapshot, role: 'viewer' | 'operator') {
  const findings = trackFindings([], detectFindings(snapshot, NOW_MS, DEFAULT_THRESHOLDS), NOW_MS);
  const watch = { findings: () => findings, snapshots: () => [snapshot] } as unknown as Parameters<
    typeof verdictLineOf
  >[0]['watch'];
  return verdictLineOf(
    { watch, alerts: { firingCount: () => 0 } as AppDeps['alerts'], thresholds: DEFAULT_THRESHOLDS },
    NOW_MS,
    role,
  );
}

it('while something is critical the overview leads to marking it as an incident', () => {
  const { state, incidentHref } = verdict(aSnapshot({ nodes: [aFullNode()] }), 'operator');
  expect(state).toBe('critical');
  const query = new URL(incidentHref ?? '', 'http://console').searchParams;
  expect(query.get('finding')).toMatch(/^redis\.full\|default\|/);
});

it('it is not offered to those who may not, nor while nothing is critical', () => {
  expect(verdict(aSnapshot({ nodes: [aFullNode()] }), 'viewer').incidentHref).toBeUndefined();
  expect(verdict(aSnapshot(), 'operator').incidentHref).toBeUndefined();
});

import type { Snapshot } from '../watch/snapshot.js';
import type { CurrentFinding, FindingRule, Thresholds } from './finding.js';
import { compareFindings } from './track.js';

/** What is wrong and why. Adding a finding is one file and one line here. */
export const FINDING_RULES: readonly FindingRule[] = [];

/**
 * Everything that is wrong in one instance at this moment, worst first. Pure: the same Snapshot gives the same findings.
 */
export function detectFindings(
  snapshot: Snapshot,
  nowMs: number,
  thresholds: Thresholds,
): readonly CurrentFinding[] {
  const found = FINDING_RULES.flatMap((rule) =>
    rule.detect(snapshot, nowMs, thresholds).map((finding) => ({
      ...finding,
      code: rule.code,
      instance: snapshot.instance,
      key: [rule.code, snapshot.instance, finding.queue ?? '', finding.node ?? ''].join('|'),
    })),
  );
  return found.sort(compareFindings);
}

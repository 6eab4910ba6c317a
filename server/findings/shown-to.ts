import type { Finding } from '../model/finding.js';

/**
 * A finding as somebody may see it: what quotes job data (an error's text, a tenant's name) goes to those alone who may see
 * job data.
 */
export function shownTo(finding: Finding, showsData: boolean): Finding {
  const { fromJobData } = finding;
  if (!fromJobData) return finding;
  if (!showsData) return { ...finding, fromJobData: undefined };
  return {
    ...finding,
    sentence: `${finding.sentence} ${fromJobData.sentence}`,
    evidence: [...finding.evidence, ...fromJobData.evidence],
  };
}

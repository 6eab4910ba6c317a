import { Finding, type FindingProps } from '../../../views/finding.js';
import { listParts, type Part } from '../live/part.js';
import { html } from './overview.js';

/** The list of findings of a page, as it changes. */
export function findingParts(findings: readonly FindingProps[]): readonly Part[] {
  return listParts(
    'findings',
    findings.map((finding) => ({ id: finding.id, html: html(<Finding {...finding} />) })),
  );
}

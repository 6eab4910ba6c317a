import { FindingCard, type FindingListProps, type FindingProps } from '../../../views/finding.js';
import { shownTo } from '../../findings/track.js';
import type { Finding as Found } from '../../model/finding.js';
import { includesRole, type Role } from '../../model/role.js';
import type { AppDeps } from '../app-deps.js';
import { html, listParts, type Part } from '../live/hub.js';
import { findingOf } from './finding-view-model.js';

/** Findings are shown up to here; each is one place to look, and more than this is no help. */
const MAX_FINDINGS = 30;

/** The list of findings of a page, as it changes. */
export function findingParts(findings: readonly FindingProps[]): readonly Part[] {
  return listParts(
    'findings',
    findings.map((finding) => ({ id: finding.id, html: html(<FindingCard {...finding} />) })),
  );
}

/** The findings of a page, for a role. */
export function findingListOf(
  deps: Pick<AppDeps, 'watch' | 'jobDataRole'>,
  role: Role,
  nowMs: number,
  isShown: (finding: Found) => boolean = () => true,
  isOwnPage = false,
): FindingListProps {
  const context = { role, nowMs, hasManyInstances: deps.watch.snapshots().length > 1, isOwnPage };
  const showsData = includesRole(role, deps.jobDataRole);
  const findings = deps.watch.findings().filter(isShown).slice(0, MAX_FINDINGS);
  return {
    findings: findings.map((finding) => findingOf(shownTo(finding, showsData), context)),
    calm: 'Nothing is wrong here.',
  };
}

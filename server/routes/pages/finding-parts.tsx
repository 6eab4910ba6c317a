import { FindingCard, type FindingListProps, findingId } from '../../../views/finding.js';
import { shownTo } from '../../findings/track.js';
import type { Finding as Found } from '../../model/finding.js';
import { includesRole, type Role } from '../../model/role.js';
import type { AppDeps } from '../app-deps.js';
import { html, listParts, type Part } from '../live/hub.js';
import { remedyButton, replayButtons } from './remedy-button.js';

/** Findings are shown up to here; each is one place to look, and more than this is no help. */
const MAX_FINDINGS = 30;

/** The list of findings of a page, as it changes. */
export function findingParts({ findings, context }: FindingListProps): readonly Part[] {
  return listParts(
    'findings',
    findings.map((finding) => ({
      id: findingId(finding),
      html: html(<FindingCard finding={finding} context={context} />),
    })),
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
  const showsData = includesRole(role, deps.jobDataRole);
  const findings = deps.watch.findings().filter(isShown).slice(0, MAX_FINDINGS);
  const buttonOf: FindingListProps['context']['buttonOf'] = (remedy, { instance, headline, key }) =>
    remedyButton(remedy, instance, role, { why: headline, finding: key });
  return {
    findings: findings.map((finding) => shownTo(finding, showsData)),
    context: {
      ...{ nowMs, hasManyInstances: deps.watch.snapshots().length > 1, isOwnPage, buttonOf },
      buttonsOf: (finding) => [
        ...finding.remedies.map((remedy) => buttonOf(remedy, finding)),
        ...replayButtons(finding, role),
      ],
    },
    calm: 'Nothing is wrong here.',
  };
}

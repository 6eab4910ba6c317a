import { actionPath, replayFormPath } from '../../../views/links.js';
import type { RemedyProps } from '../../../views/remedy.js';
import { findAction } from '../../actions/index.js';
import type { Finding, Remedy } from '../../model/finding.js';
import { includesRole, type Role } from '../../model/role.js';

/** What failed since a moment can be made up for once it is mended: a link to the form, as a replay is no action. */
export function replayButtons(finding: Finding, role: Role): readonly RemedyProps[] {
  if (finding.code !== 'jobtype.failing' || finding.queue === null || finding.jobType === undefined)
    return [];
  const { queue, jobType, instance } = finding;
  const first = Date.parse(String(finding.evidence.find(({ name }) => name === 'first-failure')?.value));
  return [
    {
      label: 'Replay these',
      effect: 'Once it is mended: brings back what failed since, at a pace that live jobs can bear.',
      needsRole: 'operator',
      isPage: true,
      href: includesRole(role, 'operator')
        ? replayFormPath({
            instance,
            queue,
            jobType,
            why: finding.headline,
            ...(Number.isFinite(first) ? { fromMs: first } : {}),
          })
        : null,
    },
  ];
}

/** A remedy as a button, or as words where the role may not press it. */
export function remedyButton(
  remedy: Remedy,
  instance: string,
  role: Role,
  more: { readonly why?: string; readonly finding?: string; readonly then?: string } = {},
): RemedyProps {
  const needsRole = findAction(remedy.action)?.roleFor(remedy.args) ?? 'operator';
  return {
    label: remedy.label,
    effect: remedy.effect,
    suffices: remedy.suffices ?? null,
    needsRole,
    href: includesRole(role, needsRole)
      ? actionPath({
          action: remedy.action,
          instance,
          queues: remedy.queues,
          ...(remedy.workers === undefined ? {} : { workers: remedy.workers.slice(0, 50) }),
          args: remedy.args,
          ...more,
        })
      : null,
  };
}

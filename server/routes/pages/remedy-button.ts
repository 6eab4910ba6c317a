import { actionPath, replayFormPath } from '../../../views/links.js';
import type { RemedyProps } from '../../../views/remedy.js';
import type { StepCall } from '../../actions/action.js';
import { findAction } from '../../actions/index.js';
import type { Finding, Remedy } from '../../model/finding.js';
import { includesRole, type Role } from '../../model/role.js';
import { capitalized, lowerFirst } from '../../model/words.js';

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

interface ButtonMore {
  readonly why?: string;
  readonly finding?: string;
  readonly then?: string;
}

/** A remedy as a button, or as words where the role may not press it; of a plan what the role may do, and who does the rest. */
export function remedyButton(
  remedy: Remedy,
  instance: string,
  role: Role,
  more: ButtonMore = {},
): RemedyProps {
  const needsRole = findAction(remedy.action)?.roleFor(remedy.args) ?? 'operator';
  if (!includesRole(role, needsRole)) {
    const part = partOfPlan(remedy, role);
    return part
      ? remedyButton(part, instance, role, more)
      : {
          label: remedy.label,
          effect: remedy.effect,
          suffices: remedy.suffices ?? null,
          needsRole,
          href: null,
        };
  }
  return {
    label: remedy.label,
    effect: remedy.effect,
    suffices: remedy.suffices ?? null,
    needsRole,
    href: actionPath({
      action: remedy.action,
      instance,
      queues: remedy.queues,
      ...(remedy.workers === undefined ? {} : { workers: remedy.workers.slice(0, 50) }),
      args: remedy.args,
      ...more,
    }),
  };
}

/** The steps of a plan that the role may take, and in words those that it may not; null: it is no plan, or may take none. */
function partOfPlan(remedy: Remedy, role: Role): Remedy | null {
  const { steps } = remedy.args as { readonly steps?: readonly StepCall[] };
  if (remedy.action !== 'sequence' || steps === undefined) return null;
  const roleOf = ({ action, args }: StepCall) => findAction(action)?.roleFor(args) ?? 'operator';
  const titles = (some: readonly StepCall[]) =>
    some.map(({ action }) => lowerFirst(findAction(action)?.title ?? action)).join(', then ');
  const [own, others] = [
    steps.filter((step) => includesRole(role, roleOf(step))),
    steps.filter((step) => !includesRole(role, roleOf(step))),
  ];
  if (own.length === 0) return null;
  return {
    ...remedy,
    label: capitalized(titles(own)),
    effect: `The rest of the plan needs an admin: ${titles(others)}.`,
    suffices: false,
    args: { ...remedy.args, steps: own },
  };
}

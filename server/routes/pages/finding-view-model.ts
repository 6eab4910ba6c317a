import type { FindingProps } from '../../../views/finding.js';
import { actionPath, instancePath, queuePath, replayFormPath, workerPath } from '../../../views/links.js';
import type { RemedyProps } from '../../../views/remedy.js';
import { coarseAge, elementId, moment } from '../../../views/words.js';
import { findAction } from '../../actions/index.js';
import type { Finding, Remedy } from '../../model/finding.js';
import { includesRole, type Role } from '../../model/role.js';

interface FindingsContext {
  readonly role: Role;
  readonly nowMs: number;
  readonly hasManyInstances: boolean;
  /** On a queue's or an instance's own page the subject goes without saying. */
  readonly isOwnPage: boolean;
}

/** More lines than this are counted. */
const MAX_FOLLOWING = 20;

/** What a page adds to a finding: links, and the buttons that this role may press. */
export function findingOf(finding: Finding, context: FindingsContext): FindingProps {
  const { nowMs, role } = context;
  return {
    id: elementId('finding', finding.key),
    finding,
    subject: context.isOwnPage ? null : subjectOf(finding, context.hasManyInstances),
    workerHref: finding.worker ? workerPath(finding.instance, finding.worker) : null,
    follows: (finding.explains ?? []).slice(0, MAX_FOLLOWING).map(({ queue, headline }) => ({
      text: headline,
      href: queue === null ? null : queuePath(finding.instance, queue),
    })),
    since: moment(finding.sinceMs, nowMs),
    age: `for ${coarseAge((nowMs - finding.sinceMs) / 1000)}`,
    remedies: [
      ...finding.remedies.map((remedy) => remedyOf(remedy, finding, role)),
      ...replayOf(finding, role),
    ],
    next: finding.next ? remedyOf(finding.next, finding, role) : null,
  };
}

function remedyOf(remedy: Remedy, finding: Finding, role: Role): RemedyProps {
  return remedyButton(remedy, finding.instance, role, { why: finding.headline, finding: finding.key });
}

/** What failed since a moment can be made up for once it is mended: a link to the form, as a replay is no action. */
function replayOf(finding: Finding, role: Role): readonly RemedyProps[] {
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

function subjectOf(finding: Finding, hasManyInstances: boolean): FindingProps['subject'] {
  if (finding.queue !== null) {
    const text = hasManyInstances ? `${finding.instance} · ${finding.queue}` : finding.queue;
    return { text, href: queuePath(finding.instance, finding.queue) };
  }
  return hasManyInstances ? { text: finding.instance, href: instancePath(finding.instance) } : null;
}

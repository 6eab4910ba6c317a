import type { FindingProps } from '../../../views/finding.js';
import { actionPath, instancePath, queuePath, replayFormPath } from '../../../views/links.js';
import type { RemedyProps } from '../../../views/remedy.js';
import { coarseAge, elementId, moment, readableTime } from '../../../views/words.js';
import { findAction } from '../../actions/index.js';
import type { Explained, Finding, Remedy } from '../../model/finding.js';
import { formatValue } from '../../model/format.js';
import { includesRole, type Role } from '../../model/role.js';
import { plainName } from '../../model/words.js';

export interface FindingsContext {
  readonly role: Role;
  readonly nowMs: number;
  readonly hasManyInstances: boolean;
  /** On a queue's or an instance's own page the subject goes without saying. */
  readonly isOwnPage: boolean;
}

/** More lines than this are counted. */
const MAX_EXPLAINED = 5;

export function findingOf(finding: Finding, context: FindingsContext): FindingProps {
  const { nowMs } = context;
  return {
    id: elementId('finding', finding.key),
    severity: finding.severity,
    code: finding.code,
    title: finding.headline,
    subject: context.isOwnPage ? null : subjectOf(finding, context.hasManyInstances),
    sentence: finding.sentence,
    explains: (finding.explains ?? [])
      .slice(0, MAX_EXPLAINED)
      .map((line) => explainedLine(line, finding.instance)),
    explainsMore: Math.max(0, (finding.explains?.length ?? 0) - MAX_EXPLAINED),
    evidence: finding.evidence.map((piece) => ({
      label: piece.label,
      value:
        (readableTime(String(piece.value), nowMs) ?? formatValue(piece.value, piece.unit)) +
        (piece.error ? ` ± ${formatValue(piece.error, piece.unit)}` : ''),
    })),
    since: moment(finding.sinceMs, nowMs),
    age: `for ${coarseAge((nowMs - finding.sinceMs) / 1000)}`,
    isLastSeen: finding.lastSeenAtMs !== undefined,
    remedies: [
      ...finding.remedies.map((remedy) => remedyOf(remedy, finding, context.role)),
      ...replayOf(finding, context.role),
    ],
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
  const first = Date.parse(String(finding.evidence.find(({ label }) => label === 'first failure')?.value));
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

/** A headline alone does not say of which queue it is. */
function explainedLine({ queue, headline }: Explained, instance: string): FindingProps['explains'][number] {
  if (queue === null) return { text: headline, href: null };
  const name = plainName(queue.startsWith('bull:') ? queue.slice('bull:'.length) : queue);
  return { text: `${name}: ${headline}`, href: queuePath(instance, queue) };
}

function subjectOf(finding: Finding, hasManyInstances: boolean): FindingProps['subject'] {
  if (finding.queue !== null) {
    const text = hasManyInstances ? `${finding.instance} · ${finding.queue}` : finding.queue;
    return { text, href: queuePath(finding.instance, finding.queue) };
  }
  return hasManyInstances ? { text: finding.instance, href: instancePath(finding.instance) } : null;
}

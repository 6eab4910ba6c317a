import type { IncidentFormProps } from '../../../views/incident-form.js';
import type { IncidentPageProps } from '../../../views/incident-page.js';
import type { IncidentCardProps } from '../../../views/incidents-page.js';
import { entryPath, incidentPath } from '../../../views/links.js';
import { localTime } from '../../../views/timeline-page.js';
import { moment } from '../../../views/words.js';
import type { ActivityRow } from '../../model/activity-row.js';
import { formatDuration } from '../../model/format.js';
import { type Actor, includesRole } from '../../model/role.js';
import { headlineOfEpisode } from '../../timeline/episode.js';
import { worstInWords } from '../../timeline/episode-keeper.js';
import { draftOf, impactRows, impactTiles } from '../../timeline/incident/draft.js';
import type { IncidentFacts } from '../../timeline/incident/facts.js';
import { postMortemOf } from '../../timeline/incident/impact.js';
import { statusUpdateOf } from '../../timeline/incident/status-update.js';
import { type Incident, NOTE_SECTIONS, type NoteSection } from '../../timeline/incident.js';
import { spanOfIncident } from '../incident-picture.js';

const MAX_FINDINGS = 50;

const SECTION_LABELS: Readonly<Record<NoteSection, string>> = {
  summary: 'Summary',
  cause: 'Cause',
  wentWell: 'What went well',
  wentBadly: 'What went badly',
  nextSteps: 'Next steps',
};

export function cardOf(incident: Incident, nowMs: number): IncidentCardProps {
  const { id, title, fromMs, toMs, severity, createdBy } = incident;
  return {
    href: incidentPath(id),
    title,
    state: toMs === null ? severity : 'calm',
    stateWord: toMs === null ? `open, ${severity}` : 'closed',
    from: moment(fromMs, nowMs),
    to: toMs === null ? null : moment(toMs, nowMs),
    lasted: formatDuration(Math.max(0, (toMs ?? nowMs) - fromMs) / 1000),
    by: createdBy,
  };
}

export function incidentPageOf(
  incident: Incident,
  facts: IncidentFacts,
  rows: readonly ActivityRow[],
  actor: Actor,
  form: IncidentFormProps,
  /** Address of its picture, for the draft. */
  picture: string,
): IncidentPageProps {
  const account = postMortemOf(facts);
  const canWrite = includesRole(actor.role, 'operator');
  const path = incidentPath(incident.id);
  const canRemove = canWrite && (incident.createdBy === actor.name || includesRole(actor.role, 'admin'));
  const range = { from: new Date(incident.fromMs).toISOString(), to: endOf(incident) };
  return {
    card: cardOf(incident, facts.nowMs),
    affects: incident.affects,
    status: statusUpdateOf(incident, facts),
    rows,
    span: spanOfIncident(incident, facts.nowMs),
    nowMs: Math.min(facts.nowMs, incident.toMs ?? facts.nowMs),
    tiles: impactTiles(account),
    facts: impactRows(account),
    findings: account.findings.slice(0, MAX_FINDINGS).map((episode) => ({
      headline: headlineOfEpisode(episode),
      worst: worstInWords(episode),
      href: entryPath(episode.id),
      isOpen: episode.endedAtMs === null,
    })),
    unknown: account.unknown,
    draft: draftOf({ ...incident, picture }, facts),
    draftHref: `/api/v1${path}.md`,
    timelineHref: `/timeline?${new URLSearchParams(Object.entries(range).filter(([, at]) => at !== ''))}`,
    form: canWrite ? form : null,
    buttons: {
      close: canWrite && incident.toMs === null ? `${path}/close` : null,
      remove: canRemove ? `${path}/remove` : null,
    },
  };
}

/** The form of an incident as it is; the end of its range belongs to it, and lists end before their `to`. */
export function formOfIncident(incident: Incident, instances: readonly string[]): IncidentFormProps {
  return {
    action: incidentPath(incident.id),
    submit: 'Save',
    problem: '',
    title: incident.title,
    from: localTime(incident.fromMs),
    to: incident.toMs === null ? '' : localTime(incident.toMs),
    severity: incident.severity,
    affects: incident.affects,
    instances:
      instances.length > 1
        ? instances.map((name) => ({ name, isOn: incident.instances.includes(name) }))
        : [],
    notes: NOTE_SECTIONS.map((name) => ({
      name,
      label: SECTION_LABELS[name],
      text: incident.notes[name] ?? '',
    })),
  };
}

function endOf({ toMs }: Incident): string {
  return toMs === null ? '' : new Date(toMs + 1_000).toISOString();
}

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { lanesOf } from '../../views/activity-lanes.js';
import { Lanes } from '../../views/drawn/lanes.js';
import { incidentPath } from '../../views/links.js';
import type { ActivityRow } from '../model/activity-row.js';
import { packagePath } from '../process/package-path.js';
import type { IncidentFacts } from '../timeline/incident/facts.js';
import type { Incident } from '../timeline/incident.js';
import { activityRows } from './activity-rows.js';
import type { AppDeps } from './app-deps.js';

/** Where a document of its own finds it. */
export function incidentPictureUrl(
  { linkBase }: Pick<AppDeps, 'linkBase'>,
  { id }: Pick<Incident, 'id'>,
): string {
  return `${linkBase}/api/v1${incidentPath(id)}.svg`;
}

/** What its picture spans. */
export function spanOfIncident({ fromMs, toMs }: Incident, nowMs: number) {
  return { fromMs, toMs: toMs ?? nowMs };
}

/** What happened in it; that it was declared is no part of that. */
export async function rowsOfIncident(
  deps: Pick<AppDeps, 'episodes' | 'alerts'>,
  incident: Incident,
  { entries, nowMs }: IncidentFacts,
): Promise<readonly ActivityRow[]> {
  const rows = await activityRows(deps, spanOfIncident(incident, nowMs), entries);
  return rows.filter(({ group }) => group !== 'incidents');
}

/** Of another user's browser: its colours go with it, light and dark, and nothing else. */
const CSS = ['tokens.css', 'drawn.css']
  .map((file) => readFileSync(packagePath(`static/${file}`), 'utf8'))
  .concat('svg { background: var(--panel); font-family: system-ui, sans-serif; }')
  .join('\n')
  .replace(/\/\*.*?\*\//gs, '');

/** Its one style sheet, as the console's own policy knows it: none that is inline is let through else. */
export const PICTURE_STYLE = `'sha256-${createHash('sha256').update(CSS).digest('base64')}'`;

/** The bars of an incident's page as a file of its own, an SVG whose label says all that it shows. */
export async function incidentPicture(
  deps: Pick<AppDeps, 'episodes' | 'alerts'>,
  incident: Incident,
  facts: IncidentFacts,
): Promise<string> {
  const span = spanOfIncident(incident, facts.nowMs);
  const rows = await rowsOfIncident(deps, incident, facts);
  const lanes = lanesOf({
    ...{ title: incident.title, rows, span, nowMs: span.toMs },
    hrefOf: () => undefined,
  });
  return String(<Lanes {...lanes} css={CSS} />);
}

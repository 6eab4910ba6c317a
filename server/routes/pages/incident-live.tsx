import {
  IncidentDraft,
  IncidentHead,
  IncidentStatus,
  PostMortemFacts,
} from '../../../views/incident-page.js';
import { shortHash } from '../../alerts/channels/channel.js';
import type { Role } from '../../model/role.js';
import type { Incident } from '../../timeline/incident.js';
import type { AppDeps } from '../app-deps.js';
import { gatherFacts } from '../gather.js';
import { findIncident } from '../incident-commands.js';
import { incidentPictureUrl, rowsOfIncident } from '../incident-picture.js';
import type { LiveView } from '../live/hub.js';
import { html, swapPart } from '../live/hub.js';
import { Loaded } from '../live/loaded.js';
import { formOfIncident, incidentPageOf } from './incident.js';
import { frameParts } from './overview.js';

/** An account is made from a thousand entries and the history of signals: after something happened, and now and then. */
const READ_EVERY_MS = 2_000;
const READ_AT_LATEST_MS = 20_000;

/** Where the page of an incident, as it is now, gets its live parts from. */
export function incidentLiveUrl(incident: Incident): string {
  const { id } = incident;
  return `/live?${new URLSearchParams({ view: 'incident', id, of: shortHash(JSON.stringify(incident)) })}`;
}

/**
 * What changes on the page of an incident, and nothing of its forms: somebody may be writing there.
 * @param of the incident as the page shows it: who has just changed it must not be sent what was read before.
 */
export function incidentLive(deps: AppDeps, role: Role, id: string, of: string): LiveView {
  const { now } = deps;
  const loaded = new Loaded({
    load: async () => {
      const incident = await findIncident(deps, id);
      const facts = await gatherFacts(deps, incident);
      // Live parts hold nothing that is one person's: who may forget an incident is said by the page.
      const nobody = { name: '', role, via: 'local' } as const;
      const rows = await rowsOfIncident(deps, incident, facts);
      return incidentPageOf(
        incident,
        facts,
        rows,
        nobody,
        formOfIncident(incident, []),
        incidentPictureUrl(deps, incident),
      );
    },
    everyMs: READ_EVERY_MS,
    atLatestMs: READ_AT_LATEST_MS,
    version: () => deps.activity.version(),
    now,
  });
  return {
    key: `incident|${role}|${id}|${of}`,
    render: () => {
      const view = loaded.latest();
      const frame = frameParts(deps, now(), view?.card.title ?? 'Incident');
      if (view === null) return frame;
      return [
        ...frame,
        swapPart('incident-head', html(<IncidentHead {...view} />)),
        swapPart('status-text', html(<IncidentStatus {...view} />)),
        swapPart('incident-account', html(<PostMortemFacts {...view} />)),
        swapPart('draft-text', html(<IncidentDraft {...view} />)),
      ];
    },
  };
}

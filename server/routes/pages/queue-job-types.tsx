import { JobTypeRow } from '../../../views/job-type-row.js';
import { JobTypeNotes, JobTypeSummary, type JobTypesProps } from '../../../views/job-types.js';
import { listParts, type Part, swapPart } from '../live/part.js';
import { html } from './overview.js';

/** What changes in the section of job types. */
export function jobTypeParts(view: JobTypesProps): readonly Part[] {
  return [
    swapPart('job-types-summary', html(<JobTypeSummary {...view} />)),
    swapPart('job-types-notes', html(<JobTypeNotes {...view} />)),
    ...listParts(
      'types',
      view.rows.map((row) => ({ id: row.id, html: html(<JobTypeRow {...row} />) })),
    ),
  ];
}

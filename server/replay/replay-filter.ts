/** Which finished jobs a replay is about. Empty or absent: all. */
export interface ReplayFilter {
  readonly jobTypes?: readonly string[] | undefined;
  /** Anywhere in the first 500 characters of the error. */
  readonly errorText?: string | undefined;
  /** When they finished, both ends included. */
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
  readonly attemptsMin?: number | undefined;
  readonly attemptsMax?: number | undefined;
  readonly dataField?:
    | { readonly path: string; readonly equals: string | number | boolean | null }
    | undefined;
}

/** What a filter looks at of one job. */
export interface FilterFacts {
  readonly name: string;
  readonly error: string;
  readonly attempts: number;
  /** The data as JSON text; null: not read, or too large to be. */
  readonly dataText: string | null;
}

/** Characters of an error that are read and compared. */
export const MAX_ERROR_LETTERS = 500;

/** Does a job in the time range match the rest of the filter? A field of data that can't be read matches nothing. */
export function matchesFilter(filter: ReplayFilter, job: FilterFacts): boolean {
  if (filter.jobTypes !== undefined && filter.jobTypes.length > 0 && !filter.jobTypes.includes(job.name))
    return false;
  if (filter.errorText && !job.error.slice(0, MAX_ERROR_LETTERS).includes(filter.errorText)) return false;
  if (filter.attemptsMin !== undefined && job.attempts < filter.attemptsMin) return false;
  if (filter.attemptsMax !== undefined && job.attempts > filter.attemptsMax) return false;
  if (filter.dataField !== undefined) {
    const found = fieldOf(job.dataText, filter.dataField.path);
    return found.isThere && found.value === filter.dataField.equals;
  }
  return true;
}

/** Is the time range all that is asked? Then jobs need not be looked into. */
export function isOnlyTime(filter: ReplayFilter): boolean {
  return (
    (filter.jobTypes === undefined || filter.jobTypes.length === 0) &&
    !filter.errorText &&
    filter.attemptsMin === undefined &&
    filter.attemptsMax === undefined &&
    filter.dataField === undefined
  );
}

function fieldOf(text: string | null, path: string): { readonly isThere: boolean; readonly value: unknown } {
  if (text === null) return { isThere: false, value: null };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Not JSON: then it has no fields.
    return { isThere: false, value: null };
  }
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key))
      return { isThere: false, value: null };
    value = Reflect.get(value, key);
  }
  return { isThere: true, value };
}

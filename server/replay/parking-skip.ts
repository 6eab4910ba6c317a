/** Why a job is left in Redis: parked, it would not come back as it was. */
export type SkipReason =
  | 'active'
  | 'flow'
  | 'deduplicated'
  | 'scheduled'
  | 'has-logs'
  | 'no-data'
  | 'too-many-fields'
  | 'moved-on';

export const SKIP_WORDS: Readonly<Record<SkipReason, string>> = {
  active: 'being processed',
  flow: 'parents or children of a flow',
  deduplicated: 'deduplicated: another add counts on them',
  scheduled: 'made by a job scheduler, which counts on the next one',
  'has-logs': 'have logs, which would be lost',
  'no-data': 'are ids without a job',
  'too-many-fields': 'have fields that BullMQ does not make',
  'moved-on': 'were taken or changed in the meantime',
};

/** What is known of a job in one of the lists that are parked from. */
export interface ParkingFacts {
  readonly jobId: string;
  readonly fieldCount: number;
  readonly hasParent: boolean;
  readonly hasChildren: boolean;
  readonly isDeduplicated: boolean;
  readonly isOfScheduler: boolean;
  readonly hasLogs: boolean;
}

/** BullMQ makes about 20; Lua passes some thousand to one call. */
const MAX_FIELDS = 64;

/** null: it can be parked faithfully. Pure. */
export function skipReason(facts: ParkingFacts): SkipReason | null {
  // BullMQ 5 leaves markers of this form in `wait`; they are no jobs.
  if (facts.fieldCount === 0 || facts.jobId.startsWith('0:')) return 'no-data';
  if (facts.hasParent || facts.hasChildren) return 'flow';
  if (facts.isOfScheduler || facts.jobId.startsWith('repeat:')) return 'scheduled';
  if (facts.isDeduplicated) return 'deduplicated';
  if (facts.hasLogs) return 'has-logs';
  return facts.fieldCount > MAX_FIELDS ? 'too-many-fields' : null;
}

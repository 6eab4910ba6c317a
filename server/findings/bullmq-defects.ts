import { briefThings } from '../model/brief.js';
import { fact } from '../model/evidence.js';
import type { FindingRule } from '../model/finding.js';
import type { WorkerState } from '../model/worker.js';
import { names } from './worker-evidence.js';

/** A defect of BullMQ that an operator meets, and the version that mends it. */
interface Defect {
  /** Of its issue tracker. */
  readonly issue: string;
  /** The first version that has it, and the first one without. */
  readonly from: string;
  readonly mended: string;
  /** What happens, in at most twenty words. */
  readonly effect: string;
  /** What helps until then. */
  readonly until: string;
}

const STOPS = 'A worker takes no job any more after Redis was away for seconds, until it is restarted.';
const STOPS_AFTER_RESET =
  'A worker can take no job any more after its connection was reset, until it is restarted.';
const RECONNECT = 'The agent\'s "Reconnect worker" brings one back without a restart.';

/**
 * The worst first. [Read in the tracker's issues and in the published packages: the watchdog of the blocking read is another
 * one since 5.81.5, 6.0.7 and 6.3.3; 5.81.3 connects anew where Sentinels were asked meanwhile; keys of removed jobs are
 * given up since 6.3.7. No version of 5 does that, so there is nothing to tell its users to update to.]
 */
const DEFECTS: readonly Defect[] = [
  { issue: '#4585', from: '6.0.0', mended: '6.3.3', effect: STOPS, until: RECONNECT },
  { issue: '#4585', from: '5.0.0', mended: '5.81.5', effect: STOPS, until: RECONNECT },
  { issue: '#4479', from: '6.0.0', mended: '6.0.7', effect: STOPS_AFTER_RESET, until: RECONNECT },
  { issue: '#4479', from: '5.0.0', mended: '5.81.5', effect: STOPS_AFTER_RESET, until: RECONNECT },
  {
    issue: '#4378',
    from: '5.0.0',
    mended: '5.81.3',
    effect: 'A worker behind Sentinels takes no job any more after a failover, until it is restarted.',
    until: RECONNECT,
  },
  {
    issue: '#4311',
    from: '6.0.0',
    mended: '6.3.7',
    effect: 'Adds with a deduplication id are dropped without a word once the job that holds it was removed.',
    until: 'removeDeduplicationKey() of the queue frees an id; jobs without deduplication are not concerned.',
  },
];

/** Which known defects a version has, the worst first. A pre-release counts as its version; what is no version has none. */
export function defectsOf(version: string): readonly Defect[] {
  const parts = partsOf(version);
  if (parts === null) return [];
  return DEFECTS.filter(
    ({ from, mended }) => compare(parts, partsOf(from)) >= 0 && compare(parts, partsOf(mended)) < 0,
  );
}

export const bullmqDefect: FindingRule = {
  code: 'bullmq.defect',
  about:
    'Workers with the agent run a version of BullMQ with a known defect, most of which stop them, and that a later version mends.',
  detect({ workers }) {
    const byDefect = new Map<Defect, WorkerState[]>();
    for (const worker of workers) {
      const [worst] = defectsOf(worker.agent?.bullmqVersion ?? '');
      if (worst && worker.isConnected !== false)
        byDefect.set(worst, [...(byDefect.get(worst) ?? []), worker]);
    }
    const [first] = DEFECTS.filter((defect) => byDefect.has(defect));
    const found = first && byDefect.get(first);
    if (!first || !found) return [];
    const others = DEFECTS.filter(
      (defect) =>
        defect.issue !== first.issue &&
        found.some(({ agent }) => defectsOf(agent?.bullmqVersion ?? '').includes(defect)),
    );
    const mended = [first, ...others].map((defect) => defect.mended).filter(isMajorOf(first.mended));
    const target = mended.reduce((a, b) => (compare(partsOf(a) ?? [], partsOf(b)) >= 0 ? a : b));
    const versions = [...new Set(found.map(({ agent }) => agent?.bullmqVersion ?? ''))];
    return [
      {
        queues: [...new Set(found.map(({ queueId }) => queueId))].slice(0, 100),
        severity: 'info',
        headline: `${briefThings(found.length, 'worker')} on a BullMQ with a known defect`,
        cause: `BullMQ ${versions.length === 1 ? versions[0] : `before ${first.mended}`} has a defect that ${first.mended} mends.`,
        effect: first.effect,
        action: `Update BullMQ to ${target} or later.`,
        detail: `It is ${first.issue} of BullMQ, about ${names(found)}. ${first.until}`,
        evidence: [
          fact('workers', 'workers', found.length, 'count'),
          fact('version', 'BullMQ', versions[0] ?? ''),
          fact('mended', 'mended in', first.mended),
          ...others.map(({ issue, mended }) => fact(`also-${issue.slice(1)}`, `${issue} mended in`, mended)),
        ],
        rank: 20 + Math.min(9, found.length),
      },
    ];
  },
};

function isMajorOf(version: string): (other: string) => boolean {
  return (other) => partsOf(other)?.[0] === partsOf(version)?.[0];
}

function partsOf(version: string): readonly [number, number, number] | null {
  const [, major, minor, patch] = /^(\d{1,6})\.(\d{1,6})\.(\d{1,6})/.exec(version) ?? [];
  return major === undefined ? null : [Number(major), Number(minor), Number(patch)];
}

function compare(a: readonly number[], b: readonly number[] | null): number {
  const at = a.findIndex((part, i) => part !== b?.[i]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b?.[at] ?? 0);
}

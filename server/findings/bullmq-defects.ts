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
  /** What happens, as the end of "A worker …", in at most ten words. */
  readonly what: string;
}

/**
 * The worst first. [Read in the trackers' issues and in the published packages: of 5 the watchdog of the blocking read is
 * another one since 5.81.5, of 6 since 6.0.7 and 6.3.3.]
 */
const DEFECTS: readonly Defect[] = [
  {
    issue: '#4585',
    from: '6.0.0',
    mended: '6.3.3',
    what: 'takes no job any more after Redis was away for seconds',
  },
  {
    issue: '#4479',
    from: '5.0.0',
    mended: '5.81.5',
    what: 'can take no job any more after its connection was reset',
  },
  {
    issue: '#4479',
    from: '6.0.0',
    mended: '6.0.7',
    what: 'can take no job any more after its connection was reset',
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
    'Workers with the agent run a version of BullMQ with a defect that is known to stop them, and that a later version mends.',
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
    const versions = [...new Set(found.map(({ agent }) => agent?.bullmqVersion ?? ''))];
    return [
      {
        queues: [...new Set(found.map(({ queueId }) => queueId))].slice(0, 100),
        severity: 'info',
        headline: `${briefThings(found.length, 'worker')} on a BullMQ with a known defect`,
        cause: `BullMQ ${versions.length === 1 ? versions[0] : `before ${first.mended}`} has a defect that ${first.mended} mends.`,
        effect: `A worker ${first.what}, until it is restarted.`,
        action: `Update BullMQ to ${first.mended} or later.`,
        detail: `It is ${first.issue} of BullMQ, about ${names(found)}. The agent's "Reconnect worker" brings one back without a restart.`,
        evidence: [
          fact('workers', 'workers', found.length, 'count'),
          fact('version', 'BullMQ', versions[0] ?? ''),
          fact('mended', 'mended in', first.mended),
        ],
        rank: 20 + Math.min(9, found.length),
      },
    ];
  },
};

function partsOf(version: string): readonly [number, number, number] | null {
  const [, major, minor, patch] = /^(\d{1,6})\.(\d{1,6})\.(\d{1,6})/.exec(version) ?? [];
  return major === undefined ? null : [Number(major), Number(minor), Number(patch)];
}

function compare(a: readonly number[], b: readonly number[] | null): number {
  const at = a.findIndex((part, i) => part !== b?.[i]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b?.[at] ?? 0);
}

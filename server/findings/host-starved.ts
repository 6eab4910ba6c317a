import { briefCount, briefDuration, briefRatio, briefThings, headlineOf } from '../model/brief.js';
import { fact } from '../model/evidence.js';
import type { FindingRule, FindingSubject } from '../model/finding.js';
import { JUDGED_MS, type SelfDelay } from '../model/self-delay.js';
import type { Snapshot } from '../model/snapshot.js';
import { plainName } from '../model/words.js';
import type { AgentFacts, WorkerState } from '../model/worker.js';

/**
 * A process that is held up so much of the time does its work late, whatever the work. High, as this explains other
 * findings: on a machine that is merely busy a process waits for a third of its time, and its jobs are hardly slower.
 */
const HELD_UP_RATIO = 0.5;
/** Who uses less than this of a core while being held up is not held up by its own work. */
const OWN_WORK_RATIO = 0.3;
/** A queue's troubles are the host's where at least this share of its workers is there. */
const SHARE_OF_WORKERS = 0.5;

export const consoleStarved: FindingRule = {
  code: 'console.starved',
  about:
    'The console itself gets too little CPU, or was stopped: what it has not read yet must not be taken for the silence of others.',
  detect: (snapshot) => {
    const { self } = snapshot;
    if (!self?.isStarved) return [];
    const isBusy = self.cpuRatio >= OWN_WORK_RATIO;
    return [
      {
        severity: 'warning',
        headline: isBusy ? "The console can't keep up" : "The console's host has no CPU to spare",
        cause: isBusy
          ? `It uses ${briefRatio(self.cpuRatio)} of a core itself.`
          : `Others take the CPU of ${plainName(self.host)}, or the console was stopped.`,
        effect: 'It sees late, and calls no worker hung or crashed meanwhile.',
        action: 'Give its host CPU, or move what takes it.',
        detail: `It was held up for ${briefRatio(self.heldUpRatio)} of the last ${briefDuration(JUDGED_MS / 1000)}.`,
        evidence: evidenceOf(self),
        rank: 995,
        // What it has in common with these workers is their host.
        accountsFor: isBusy ? [] : queuesMostlyOn(self.host, snapshot),
      },
    ];
  },
};

export const hostStarved: FindingRule = {
  code: 'host.starved',
  about:
    'Worker processes of one host come late to everything though they use little CPU themselves: something else takes it.',
  detect: (snapshot) =>
    [...byHost(snapshot)]
      .filter(([host]) => !(snapshot.self?.isStarved && snapshot.self.host === host))
      .flatMap(([host, processes]) => {
        const delays = processes.flatMap(({ delay }) => delay ?? []);
        const late = delays.filter(isStarved);
        // One late process among others on time has a trouble of its own.
        if (late.length === 0 || late.length * 2 <= delays.length) return [];
        const worst = late.reduce((a, b) => (b.heldUpRatio > a.heldUpRatio ? b : a));
        const cpuRatio = delays.reduce((sum, one) => sum + one.cpuRatio, 0);
        return [
          {
            severity: 'warning' as const,
            node: host,
            headline: headlineOf(host, ' has no CPU to spare'),
            cause: `Something else takes it: its workers use only ${briefRatio(cpuRatio)} of a core.`,
            effect: `Jobs there run late: ${briefCount(late.length)} of ${briefThings(delays.length, 'worker process', 'worker processes')} ${late.length === 1 ? 'is' : 'are'} held up.`,
            action: 'Move what takes the CPU, or give more; more slots there make it worse.',
            evidence: [
              fact('held-up-ratio', 'held up', worst.heldUpRatio, 'ratio'),
              fact('workers-cpu', 'CPU of workers', cpuRatio, 'ratio'),
              fact('processes', 'worker processes', delays.length, 'count'),
            ],
            rank: 650,
            accountsFor: queuesMostlyOn(host, snapshot),
          },
        ];
      }),
};

function isStarved({ heldUpRatio, cpuRatio }: NonNullable<AgentFacts['delay']>): boolean {
  return heldUpRatio >= HELD_UP_RATIO && cpuRatio < OWN_WORK_RATIO;
}

function evidenceOf({ heldUpRatio, longestStallMs, cpuRatio }: SelfDelay) {
  return [
    fact('held-up-ratio', 'held up', heldUpRatio, 'ratio'),
    fact('longest-stall', 'longest', longestStallMs / 1000, 'seconds'),
    fact('own-cpu', 'own CPU', cpuRatio, 'ratio'),
  ];
}

/** Processes with the agent by host, each once. */
function byHost({ workers }: Snapshot): ReadonlyMap<string, readonly AgentFacts[]> {
  const hosts = new Map<string, Map<string, AgentFacts>>();
  for (const { host, agent } of workers) {
    if (host === null || agent === null) continue;
    const processes = hosts.get(host) ?? new Map<string, AgentFacts>();
    processes.set(agent.agentId, agent);
    hosts.set(host, processes);
  }
  return new Map([...hosts].map(([host, processes]) => [host, [...processes.values()]]));
}

function queuesMostlyOn(host: string, { workers }: Snapshot): readonly FindingSubject[] {
  const byQueue = new Map<string, WorkerState[]>();
  for (const worker of workers) byQueue.set(worker.queueId, [...(byQueue.get(worker.queueId) ?? []), worker]);
  return [...byQueue].flatMap(([queue, of]) =>
    of.filter((worker) => worker.host === host).length >= of.length * SHARE_OF_WORKERS ? [{ queue }] : [],
  );
}

import { type Brief, few, headlineOf } from '../model/brief.js';
import type { HealthCode, HealthProblem } from '../model/console-health.js';
import { fact } from '../model/evidence.js';
import type { CurrentFinding, OwnFindingRule } from '../model/finding.js';
import { findingKey } from '../model/finding.js';
import { capitalized, plainName, plainProblem, plainSentence } from '../model/words.js';

const MAX_PARTS_NAMED = 3;

const consoleFault: OwnFindingRule = {
  code: 'console.fault',
  about:
    'A part of the console itself has failed (a rule, a signal, a page, a listener): what it says is missing, and the rest goes on.',
  detect: (problems) => {
    const faults = problems.filter(({ code }) => code === 'fault');
    if (faults.length === 0) return [];
    const named = faults.slice(0, MAX_PARTS_NAMED).map(({ text }) => plainProblem(text));
    const [first] = faults;
    return [
      {
        severity: 'warning',
        headline:
          faults.length === 1 && first
            ? headlineOf(first.subject, ' of the console fails')
            : `${faults.length} parts of the console fail`,
        cause: 'It is a mistake of the console, not of Redis.',
        effect: 'What these parts would show is missing; all else goes on.',
        action: 'Report it: the log has where it happened.',
        detail: `${named.join('; ')}.`,
        evidence: faults
          .slice(0, MAX_PARTS_NAMED)
          .map(({ subject, count = 1 }) => fact(`fault:${subject}`, plainName(subject), count, 'count')),
        rank: 470,
      },
    ];
  },
};

const MAX_NAMED = 3;

const consoleChannels: OwnFindingRule = {
  code: 'console.channels',
  about: 'Channels of alerts fail again and again, or nobody sends what is due: alerts do not reach people.',
  detect: (problems) => {
    const failing = problems.filter(({ code }) => code === 'channel');
    const behind = problems.filter(({ code }) => code === 'outbox');
    const all = [...failing, ...behind];
    if (all.length === 0) return [];
    const named = all.slice(0, MAX_NAMED).map(({ text }) => plainProblem(text));
    const [first] = failing;
    return [
      {
        severity: 'warning',
        headline:
          failing.length === 1 && first
            ? headlineOf(`Alerts do not reach ${plainProblem(first.subject)}`, '')
            : failing.length === 0
              ? 'Alerts are not sent'
              : `Alerts do not reach ${failing.length} channels`,
        cause:
          failing.length === 0
            ? 'Messages are due, and no console sends them.'
            : `Sending fails again and again: ${few(all[0]?.text ?? '', 10)}.`,
        effect: 'Nobody is notified of trouble; what waits is kept and tried again.',
        action: 'Check the settings of the channel and its receiver.',
        detail: `${named.join('; ')}.`,
        evidence: [fact('failing-channels', 'failing channels', failing.length, 'count')],
        rank: 490,
      },
    ];
  },
};

const consoleStore: OwnFindingRule = {
  code: 'console.store',
  about:
    'The console can not write its own store: who changes what is not kept, and nobody is notified of alerts reliably.',
  detect: (problems) =>
    problems
      .filter(({ code }) => code === 'store')
      .slice(0, 1)
      .map(({ text }) => ({
        severity: 'warning',
        headline: "The console can't write its store",
        cause: `${capitalized(few(text, 12).slice(1, -1))}.`,
        effect: 'What is changed from here is not kept, and alerts may reach nobody.',
        action: 'Check its disk and its data directory.',
        evidence: [fact('store-error', 'reason', plainProblem(text))],
        rank: 500,
      })),
};

const consoleNoHistory: OwnFindingRule = {
  code: 'console.no-history',
  about:
    'What signals are can not be written to the disk of the console (it is full, or not writable): charts of this time will have a gap.',
  detect: (problems) =>
    problems
      .filter(({ code }) => code === 'history')
      .slice(0, 1)
      .map(({ text }) => ({
        severity: 'warning',
        headline: 'No history is kept',
        cause: `${capitalized(few(text, 12).slice(1, -1))}.`,
        effect: 'Charts will have a gap, and rules that look back see less.',
        action: 'Make room on its disk, or give it a directory that it may write to.',
        evidence: [fact('disk-error', 'reason', plainProblem(text))],
        rank: 20,
      })),
};

/** Work that the console does by itself, of which people hear nothing while it goes well. */
interface Automation extends Pick<Brief, 'headline' | 'effect' | 'action'> {
  readonly code: HealthCode;
  readonly about: string;
}

const AUTOMATIONS: readonly Automation[] = [
  {
    code: 'policy',
    about: 'The spillway policy fails: jobs are not parked while memory fills, nor brought back.',
    headline: 'The spillway policy does not work',
    effect: 'Jobs are not parked while memory fills, nor restored.',
    action: 'Park or restore jobs by hand, and see the log.',
  },
  {
    code: 'parking',
    about: 'Work on parked jobs fails: they stay where they are, on disk or in Redis.',
    headline: 'Parking does not go on',
    effect: 'Parked jobs stay where they are, on disk or in Redis.',
    action: 'Fix the cause: it goes on by itself, and no job is lost.',
  },
  {
    code: 'replays',
    about: 'Replays fail to go on, or what came of their jobs can not be read.',
    headline: 'Replays do not go on',
    effect: 'Their jobs are not moved, or what came of them is not known.',
    action: 'Fix the cause: replays go on by themselves.',
  },
  {
    code: 'commands',
    about: 'Orders that people give on another console of this store are not taken.',
    headline: 'Commands of other consoles are not taken',
    effect: 'What people ask for there is not done.',
    action: 'Give them on this console, and see its log.',
  },
  {
    code: 'moving',
    about: 'The console that is to move jobs can not begin to: no replay and no parking goes on anywhere.',
    headline: 'Nothing moves jobs',
    effect: 'No replay and no parking goes on anywhere.',
    action: 'See the log, and restart this console if it does not recover.',
  },
];

function automationRule({ code, about, ...brief }: Automation): OwnFindingRule {
  return {
    code: `console.${code}`,
    about,
    detect: (problems) =>
      problems
        .filter((problem) => problem.code === code)
        .slice(0, 1)
        .map(({ text, count = 1, isUrgent = false }) => ({
          severity: isUrgent ? 'critical' : 'warning',
          ...brief,
          cause: `${capitalized(few(text, 12).slice(1, -1))}.`,
          detail: plainSentence(text),
          evidence: [fact('failures', 'failures in a row', count, 'count')],
          rank: isUrgent ? 900 : 480,
        })),
  };
}

/** What is wrong with the console itself. Like FINDING_RULES, from another source: it takes no Snapshot. */
export const OWN_FINDING_RULES: readonly OwnFindingRule[] = [
  consoleStore,
  consoleNoHistory,
  consoleChannels,
  consoleFault,
  ...AUTOMATIONS.map(automationRule),
];

/** @param instance the first one, whose page and alerts show the console's. */
export function detectOwnFindings(
  problems: readonly HealthProblem[],
  instance: string,
): readonly CurrentFinding[] {
  return OWN_FINDING_RULES.flatMap(({ code, detect }) =>
    detect(problems).map((finding) => ({
      queue: null,
      node: null,
      remedies: [],
      ...finding,
      code,
      instance,
      key: findingKey({ code, instance, queue: null, node: null }),
    })),
  );
}

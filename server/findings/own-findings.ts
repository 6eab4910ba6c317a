import type { HealthCode, HealthProblem } from '../model/console-health.js';
import { fact } from '../model/evidence.js';
import type { CurrentFinding, OwnFindingRule } from '../model/finding.js';
import { findingKey } from '../model/finding.js';
import { plainName, plainProblem, plainSentence } from '../model/words.js';

const MAX_PARTS_NAMED = 3;

const consoleFault: OwnFindingRule = {
  code: 'console.fault',
  about:
    'A part of the console itself has failed (a rule, a signal, a page, a listener): what it tells is missing, and the rest goes on.',
  detect: (problems) => {
    const faults = problems.filter(({ code }) => code === 'fault');
    if (faults.length === 0) return [];
    const named = faults.slice(0, MAX_PARTS_NAMED).map(({ text }) => plainProblem(text));
    const more =
      faults.length > MAX_PARTS_NAMED ? ` ${faults.length - MAX_PARTS_NAMED} more parts have failed.` : '';
    const [first] = faults;
    return [
      {
        severity: 'warning',
        headline:
          faults.length === 1 && first
            ? `The console's ${plainName(first.subject)} fails`
            : `${faults.length} parts of the console fail`,
        sentence: `This is a mistake of the console, not of Redis: ${named.join('; ')}.${more} What these parts tell is missing; all else goes on. The log has where it happened: report it.`,
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
    const more = all.length > MAX_NAMED ? `, and ${all.length - MAX_NAMED} more` : '';
    const [first] = failing;
    return [
      {
        severity: 'warning',
        headline:
          failing.length === 1 && first
            ? `Alerts do not reach ${plainProblem(first.subject)}`
            : failing.length === 0
              ? 'Alerts are not sent'
              : `Alerts do not reach ${failing.length} channels`,
        sentence: `Whoever should be told of trouble is not: ${named.join('; ')}${more}. What waits is kept and tried again; see Channels.`,
        evidence: [fact('failing-channels', 'channels that fail', failing.length, 'count')],
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
        headline: 'The console can not write its store',
        sentence: `${sentenceOf(text)}: what is changed from here is not kept, and alerts may reach nobody; check the disk and the data directory.`,
        evidence: [],
        rank: 500,
      })),
};

function sentenceOf(text: string): string {
  const plain = plainProblem(text);
  return `${plain.charAt(0).toUpperCase()}${plain.slice(1)}`;
}

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
        sentence: `The console goes on, but ${plainProblem(text)}: charts of this time will have a gap, and rules that look back see less; make room on its disk, or give it a directory that it may write to.`,
        evidence: [fact('disk-error', 'what the disk said', plainProblem(text))],
        rank: 20,
      })),
};

/** Work that the console does by itself, of which people hear nothing while it goes well. */
const AUTOMATIONS: readonly {
  readonly code: HealthCode;
  readonly about: string;
  readonly headline: string;
}[] = [
  {
    code: 'policy',
    about: 'The spillway policy fails: jobs are not parked while memory fills, nor brought back.',
    headline: 'The spillway policy does not work',
  },
  {
    code: 'parking',
    about: 'Work on parked jobs fails: they stay where they are, on disk or in Redis.',
    headline: 'Parking does not go on',
  },
  {
    code: 'replays',
    about: 'Replays fail to go on, or what came of their jobs can not be read.',
    headline: 'Replays do not go on',
  },
  {
    code: 'commands',
    about: 'Orders that people give on another console of this store are not taken.',
    headline: 'Orders of other consoles are not taken',
  },
  {
    code: 'moving',
    about: 'The console that is to move jobs can not begin to: no replay and no parking goes on anywhere.',
    headline: 'Nothing moves jobs',
  },
];

function automationRule({ code, about, headline }: (typeof AUTOMATIONS)[number]): OwnFindingRule {
  return {
    code: `console.${code}`,
    about,
    detect: (problems) =>
      problems
        .filter((problem) => problem.code === code)
        .slice(0, 1)
        .map(({ text, count = 1, isUrgent = false }) => ({
          severity: isUrgent ? 'critical' : 'warning',
          headline,
          sentence: plainSentence(text),
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

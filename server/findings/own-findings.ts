import type { HealthCode, HealthProblem } from '../model/console-health.js';
import type { CurrentFinding, FoundNow, OwnFindingRule } from '../model/finding.js';
import { plainSentence } from '../model/words.js';
import { consoleChannels } from './console-channels.js';
import { consoleFault } from './console-fault.js';
import { consoleNoHistory } from './console-no-history.js';
import { consoleStore } from './console-store.js';

/** Work that the console does by itself, of which people hear nothing while it goes well. */
const AUTOMATIONS: readonly { readonly code: HealthCode; readonly about: string; readonly title: string }[] =
  [
    {
      code: 'policy',
      about: 'The spillway policy fails: jobs are not parked while memory fills, nor brought back.',
      title: 'The spillway policy does not work',
    },
    {
      code: 'parking',
      about: 'Work on parked jobs fails: they stay where they are, on disk or in Redis.',
      title: 'Parking does not go on',
    },
    {
      code: 'replays',
      about: 'Replays fail to go on, or what came of their jobs can not be read.',
      title: 'Replays do not go on',
    },
    {
      code: 'commands',
      about: 'Orders that people give on another console of this store are not taken.',
      title: 'Orders of other consoles are not taken',
    },
    {
      code: 'moving',
      about: 'The console that is to move jobs can not begin to: no replay and no parking goes on anywhere.',
      title: 'Nothing moves jobs',
    },
  ];

function automationRule({ code, about, title }: (typeof AUTOMATIONS)[number]): OwnFindingRule {
  return {
    code: `console.${code}`,
    about,
    detect: (problems) =>
      problems
        .filter((problem) => problem.code === code)
        .slice(0, 1)
        .map(({ text, count = 1, isUrgent = false }) => ({
          severity: isUrgent ? 'critical' : 'warning',
          queue: null,
          node: null,
          title,
          sentence: plainSentence(text),
          evidence: [{ label: 'failures in a row', value: count, unit: 'count' }],
          remedies: [],
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

/** @param instance the first one, whose page and alerts tell of the console. */
export function detectOwnFindings(
  problems: readonly HealthProblem[],
  instance: string,
): readonly CurrentFinding[] {
  return OWN_FINDING_RULES.flatMap(({ code, detect }) =>
    detect(problems).map((finding: FoundNow) => ({
      ...finding,
      code,
      instance,
      key: [code, instance, '', ''].join('|'),
    })),
  );
}

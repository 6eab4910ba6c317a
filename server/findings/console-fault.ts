import type { OwnFindingRule } from '../model/finding.js';
import { plainName, plainProblem } from '../model/words.js';

const MAX_PARTS_TOLD = 3;

export const consoleFault: OwnFindingRule = {
  code: 'console.fault',
  about:
    'A part of the console itself has failed (a rule, a signal, a page, a listener): what it tells is missing, and the rest goes on.',
  detect: (problems) => {
    const faults = problems.filter(({ code }) => code === 'fault');
    if (faults.length === 0) return [];
    const told = faults.slice(0, MAX_PARTS_TOLD).map(({ text }) => plainProblem(text));
    const more =
      faults.length > MAX_PARTS_TOLD ? ` ${faults.length - MAX_PARTS_TOLD} more parts have failed.` : '';
    const [first] = faults;
    return [
      {
        severity: 'warning',
        queue: null,
        node: null,
        title:
          faults.length === 1 && first
            ? `The console's ${plainName(first.subject)} fails`
            : `${faults.length} parts of the console fail`,
        sentence: `This is a mistake of the console, not of Redis: ${told.join('; ')}.${more} What these parts tell is missing; all else goes on. The log has where it happened: report it.`,
        evidence: faults.slice(0, MAX_PARTS_TOLD).map(({ subject, count = 1 }) => ({
          label: plainName(subject),
          value: count,
          unit: 'count',
        })),
        remedies: [],
        rank: 470,
      },
    ];
  },
};

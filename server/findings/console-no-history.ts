import type { OwnFindingRule } from '../model/finding.js';
import { plainProblem } from '../model/words.js';

export const consoleNoHistory: OwnFindingRule = {
  code: 'console.no-history',
  about:
    'What signals are can not be written to the disk of the console (it is full, or not writable): charts of this time will have a gap.',
  detect: (problems) =>
    problems
      .filter(({ code }) => code === 'history')
      .slice(0, 1)
      .map(({ text }) => ({
        severity: 'warning',
        queue: null,
        node: null,
        title: 'No history is kept',
        sentence: `The console goes on, but ${plainProblem(text)}: charts of this time will have a gap, and rules that look back see less; make room on its disk, or give it a directory that it may write to.`,
        evidence: [{ label: 'what the disk said', value: plainProblem(text) }],
        remedies: [],
        rank: 20,
      })),
};

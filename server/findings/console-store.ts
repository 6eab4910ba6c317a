import type { OwnFindingRule } from '../model/finding.js';
import { plainProblem } from '../model/words.js';

export const consoleStore: OwnFindingRule = {
  code: 'console.store',
  about:
    'The console can not write its own store: who changes what is not kept, and nobody is told of alerts reliably.',
  detect: (problems) =>
    problems
      .filter(({ code }) => code === 'store')
      .slice(0, 1)
      .map(({ text }) => ({
        severity: 'warning',
        queue: null,
        node: null,
        title: 'The console can not write its store',
        sentence: `${sentenceOf(text)}: what is changed from here is not kept, and alerts may reach nobody; check the disk and the data directory.`,
        evidence: [],
        remedies: [],
        rank: 500,
      })),
};

function sentenceOf(text: string): string {
  const plain = plainProblem(text);
  return `${plain.charAt(0).toUpperCase()}${plain.slice(1)}`;
}

import { expect } from 'vitest';
import { detectFindings as detect } from '../../server/findings/index.js';
import { type Brief, briefValue } from '../../server/model/brief.js';
import type { CurrentFinding } from '../../server/model/finding.js';
import { keyNumbers } from '../../server/model/finding.js';

const MAX_HEADLINE_CHARS = 60;
const MAX_LINE_WORDS = 20;
const MAX_SHOWN_WORDS = 60;

/** Words as a reader counts them: a number with its unit is one, a sign between words is none. */
export function wordsIn(text: string): number {
  return text
    .replace(/(\d[\d.]*[kMBT]?) (bytes|[KMGTP]B|ms|s|min|h|d)\b/g, '$1$2')
    .split(/\s+/)
    .filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
}

/** What of a brief is more than anybody reads at 3 a.m.; empty: nothing. */
export function tooMuchIn(brief: Brief): readonly string[] {
  const lines = { cause: brief.cause, effect: brief.effect, action: brief.action };
  return [
    ...(Array.from(brief.headline).length > MAX_HEADLINE_CHARS ? [`long headline: ${brief.headline}`] : []),
    ...(/[.;]$/.test(brief.headline) ? [`a headline is no sentence: ${brief.headline}`] : []),
    ...Object.entries(lines).flatMap(([field, text]) => [
      ...(wordsIn(text) > MAX_LINE_WORDS ? [`${field} of ${wordsIn(text)} words: ${text}`] : []),
      ...(/[.!?] \p{Lu}/u.test(text) ? [`${field} of two sentences: ${text}`] : []),
      ...(!/[^.]\.$/.test(text) ? [`${field} is no sentence: ${text}`] : []),
    ]),
    // Addresses, times and process numbers are names and no numbers.
    ...[brief.headline, ...Object.values(lines)]
      .map((text) => text.replace(/"[^"]*"|\d+[.:][\d.:]+|\bpid \d+/g, ''))
      .filter((text) => /\d[\d,.]*\d{3}|\d{4}/.test(text.replace('10,000', '')))
      .map((text) => `a number of many digits: ${text}`),
  ];
}

/** The same of a finding with its key numbers, as it is shown before anything is opened. */
export function tooMuchOf(finding: CurrentFinding): readonly string[] {
  const numbers = keyNumbers(finding).map(({ label, value, unit }) => `${label} ${briefValue(value, unit)}`);
  const shown = [finding.headline, finding.cause, finding.effect, finding.action, ...numbers];
  const words = shown.reduce((sum, text) => sum + wordsIn(text), 0);
  const remedies = [...finding.remedies, ...(finding.next ? [finding.next] : [])];
  return [
    ...tooMuchIn(finding),
    ...remedies
      .filter(({ effect }) => wordsIn(effect) > MAX_LINE_WORDS)
      .map(({ action, effect }) => `${action} says ${wordsIn(effect)} words: ${effect}`),
    ...(words > MAX_SHOWN_WORDS ? [`${words} words: ${shown.join(' | ')}`] : []),
  ].map((problem) => `${finding.code}: ${problem}`);
}

/** What the rules find, in few words. */
export function detectFindings(...args: Parameters<typeof detect>): readonly CurrentFinding[] {
  const found = detect(...args);
  expect(found.flatMap(tooMuchOf)).toEqual([]);
  return found;
}

/** All that is said of a finding, for tests that ask whether something is. */
export function wordsOf(finding: CurrentFinding | undefined): string {
  if (!finding) return '';
  const { headline, cause, effect, action, detail = '' } = finding;
  return [headline, cause, effect, action, detail].join(' | ');
}

/** The one of that code, if it is found. */
export const about = (code: string, findings: readonly CurrentFinding[]) =>
  findings.find((finding) => finding.code === code);

/** A number of its evidence, by its stable name. */
export const evidence = (finding: CurrentFinding | undefined, name: string) =>
  finding?.evidence.find((piece) => piece.name === name)?.value;

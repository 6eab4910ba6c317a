import { z } from 'zod';
import {
  type FormatUnit,
  formatNumber,
  formatRate,
  formatRatio,
  formatValue,
  rowSeconds,
  VALUE_FORMATS,
  type ValueFormats,
} from './format.js';
import { plainName, plainProblem } from './words.js';

/**
 * What is said of a trouble wherever it is said (page, API, alert, message, timeline), for somebody who was woken up. Names and
 * numbers are in it, data of jobs are not.
 */
export const BriefSchema = z
  .object({
    headline: z
      .string()
      .describe('At most 60 characters, with its subject: `analytics: 4 workers saturated`'),
    cause: z.string().describe('Why it is so: one sentence of at most 20 words'),
    effect: z.string().describe('What it does to those who wait for the jobs; likewise'),
    action: z.string().describe('What to do; likewise'),
  })
  .meta({ id: 'Brief' });
export interface Brief extends Readonly<z.infer<typeof BriefSchema>> {}

/** The four fields of anything that has them, as they are kept and sent. */
export function briefOf({ headline, cause, effect, action }: Brief): Brief {
  return { headline, cause, effect, action };
}

const HEADLINE_CHARS = 60;
const LEAST_SUBJECT = 16;

/** "Redis is full": a long subject gives way in its middle, as names mostly differ at their ends. */
export function headlineOf(subject: string, rest: string): string {
  return `${shorten(plainName(subject), Math.max(LEAST_SUBJECT, HEADLINE_CHARS - rest.length))}${rest}`;
}

/** A headline that begins with its subject: "mail: no workers". `what` says the same of many. */
export function about(subject: string, what: string): { readonly headline: string; readonly what: string } {
  return { headline: headlineOf(subject, `: ${what}`), what };
}

function shorten(text: string, most: number): string {
  const characters = Array.from(text);
  if (characters.length <= most) return text;
  const end = Math.floor((most - 1) / 2);
  return `${characters.slice(0, most - 1 - end).join('')}…${characters.slice(-end).join('')}`;
}

const FEW_CHARS = 60;

/** What a server or a person said, as a quotation of a few words; the whole text belongs to the evidence. */
export function few(text: string, words = 8): string {
  const all = plainProblem(text).split(/\s+/).filter(Boolean);
  const kept = all.slice(0, words).join(' ');
  const cut = Array.from(kept).slice(0, FEW_CHARS).join('');
  return `"${cut}${cut.length < kept.length || kept.length < all.join(' ').length ? '…' : ''}"`;
}

/** Numbers at a glance: one unit, at most three digits. Pure; never prints NaN, Infinity or undefined. */

const STEPS = [
  { from: 999.5e9, size: 1e12, suffix: 'T' },
  { from: 999_500_000, size: 1e9, suffix: 'B' },
  { from: 999_500, size: 1e6, suffix: 'M' },
  { from: 999.5, size: 1e3, suffix: 'k' },
] as const;

const MOST = 999.5e12;

/** 950 → "950", 1234 → "1.2k", 38,012 → "38k". */
export function briefCount(value: number): string {
  if (!Number.isFinite(value)) return 'unknown';
  const step = STEPS.find(({ from }) => Math.abs(value) >= from);
  if (!step) return String(Math.round(value));
  if (Math.abs(value) >= MOST) return 'over 999T';
  const scaled = value / step.size;
  return `${Math.abs(scaled) < 9.95 ? Number(scaled.toFixed(1)) : Math.round(scaled)}${step.suffix}`;
}

/** 1 → "1 worker", 1234 → "1.2k workers". @param plural of a noun that does not take an s. */
export function briefThings(value: number, noun: string, plural = `${noun}s`): string {
  return `${briefCount(value)} ${Math.round(value) === 1 ? noun : plural}`;
}

/** 1 → "1 job", 38,012 → "38k jobs". */
export function briefJobs(value: number): string {
  return briefThings(value, 'job');
}

/** "38k jobs wait", "1 job waits". */
export function jobsWaitBriefly(jobs: number): string {
  return `${briefJobs(jobs)} ${Math.round(jobs) === 1 ? 'waits' : 'wait'}`;
}

const UNITS = [
  { below: 1.95, size: 0.001, unit: 'ms' },
  { below: 119.5, size: 1, unit: 's' },
  { below: 7170, size: 60, unit: 'min' },
  { below: 172_800, size: 3600, unit: 'h' },
] as const;

/** 0.25 → "250 ms", 75 → "75 s", 190 → "3 min", 7,500 → "2 h"; Infinity reads "never". */
export function briefDuration(seconds: number): string {
  if (Number.isNaN(seconds) || seconds === Number.NEGATIVE_INFINITY) return 'unknown';
  if (seconds === Number.POSITIVE_INFINITY) return 'never';
  const positive = Math.max(0, seconds);
  if (positive < 0.0005) return '0 s';
  if (positive >= 0.9995 && positive < 9.95) return `${Number(positive.toFixed(1))} s`;
  const { size, unit } = UNITS.find(({ below }) => positive < below) ?? { size: 86_400, unit: 'd' };
  return `${briefCount(positive / size)} ${unit}`;
}

/** The same of an age that counts on as it is looked at: in steps, as every change is sent to every viewer. */
export function briefAge(seconds: number): string {
  return briefDuration(rowSeconds(Math.max(0, seconds)));
}

/** 12.3 → "12.3/s", 1234.5 → "1.2k/s". @param what "writes": "12.3 writes/s". */
export function briefRate(perSecond: number, what?: string): string {
  const size = Math.abs(perSecond);
  const rate =
    size >= 999.5 && Number.isFinite(perSecond)
      ? `${briefCount(perSecond)}/s`
      : size > 0 && size < 0.05
        ? 'under 0.1/s'
        : formatRate(perSecond);
  return what === undefined ? rate : rate.replace('/s', ` ${what}/s`);
}

/** 0.834 → "83%", 25 → "over 999%". */
export function briefRatio(ratio: number): string {
  return ratio >= 9.995 ? 'over 999%' : formatRatio(ratio);
}

const BRIEF_FORMATS: ValueFormats = {
  ...VALUE_FORMATS,
  seconds: briefDuration,
  jobs: briefCount,
  'jobs/s': (value) => briefRate(value),
  'count/s': (value) => briefRate(value),
  ratio: briefRatio,
};

/** A number of a finding as it is shown beside its headline. Text stays as it is. */
export function briefValue(value: number | string, unit?: FormatUnit): string {
  const otherwise = (number: number): string =>
    Math.abs(number) < 9.95 ? formatNumber(number) : briefCount(number);
  return formatValue(value, unit, { formats: BRIEF_FORMATS, otherwise });
}

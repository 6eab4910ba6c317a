import { globMatcher } from './text.js';

/** What stands where a value was. */
export const HIDDEN = '(hidden)';
/** What stands for a text of which it can't be known whether it holds such a value, as its job's data are not at hand. */
export const UNCHECKED = '(hidden: its job data are not at hand)';

/** Each is tried at each place of a value. */
export const MAX_REDACT_PATHS = 50;
const MAX_SEGMENTS = 16;
const MAX_SEGMENT_CHARS = 64;
/** What lies deeper in a value is hidden unseen; so is all of a value with more places than this. */
const MAX_DEPTH = 40;
const MAX_PLACES = 10_000;
/** Keys that are longer are no field's name: what is below them is hidden. */
const MAX_KEY_CHARS = 1_000;
/** Of one job; beyond, its texts are hidden whole. */
const MAX_VALUES = 100;
/** A shorter value is looked for in a text only where it stands by itself: the 1 of "attempt 1" is no part of 1.5 or A1. */
const FEWEST_CHARS = 4;
/** A line of a value of several is looked for by itself from this length on. */
const FEWEST_LINE_CHARS = 8;

type Segment = 'any depth' | ((key: string) => boolean);
type Path = readonly Segment[];

/** Why a text is no path of a field to hide, as the end of a sentence that begins with it; null: it is one. */
export function redactProblem(path: string): string | null {
  const segments = path.split('.');
  if (segments.length > MAX_SEGMENTS) return `must have at most ${MAX_SEGMENTS} keys`;
  const isFine = segments.every(
    (one) => one.trim() === one && one !== '' && one.length <= MAX_SEGMENT_CHARS && !/\p{Cc}/u.test(one),
  );
  if (!isFine)
    return `must be keys joined by dots, such as customer.email or *.password; each of 1 to ${MAX_SEGMENT_CHARS} characters`;
  if (segments.at(-1) === '**')
    return 'must end with a key or *, such as **.password: ** alone names no field';
  return null;
}

/** What is hidden of one job. */
export interface Redaction {
  /** JSON of the job with what the paths name replaced, and with it that value wherever else it stands. */
  json(text: string): string;
  /**
   * A text that may quote the job's data, without the values that are hidden in those.
   * @param mostChars it is cut to so many; a value across the cut is found all the same.
   * @param isCut it was cut before: a value's beginning at its end is hidden too.
   */
  text(text: string, mostChars?: number, isCut?: boolean): string;
}

/** Nothing is hidden. */
export const NO_REDACTION: Redaction = {
  json: (text) => text,
  text: (text, mostChars = text.length) => text.slice(0, mostChars),
};

/** Nothing is shown, as what would have to be hidden is not known. */
const ALL_HIDDEN: Redaction = { json: () => UNCHECKED, text: () => UNCHECKED };

/**
 * Which fields of jobs are shown nowhere. A path is keys joined by dots, from the root of the data (and of options, return
 * value and progress, each a root of its own). `*` is any one key or place in an array, or any characters within a key; `**` any number of keys, none too. An
 * array is passed over by itself: `customers.email` is also that of each of them. Large and small letters are the same. A
 * key with dots in it counts as one key and as several. Pure; for any JSON, whatever its depth and size.
 */
export class Redactor {
  readonly #paths: readonly Path[];

  /** @returns null where nothing is to be hidden. */
  static of(paths: readonly string[] | undefined): Redactor | null {
    return paths === undefined || paths.length === 0 ? null : new Redactor(paths);
  }

  private constructor(paths: readonly string[]) {
    this.#paths = paths.map((path) => path.split('.').map(segmentOf));
  }

  /**
   * What is to be hidden of one job.
   * @param parts its data, options, return value, progress: JSON as BullMQ keeps it, as far as the job has them. null: not
   * known, so that no text can be trusted to be free of it.
   */
  forJob(parts: readonly (string | null)[]): Redaction {
    const values = new HiddenValues();
    for (const part of parts) {
      if (part === null) return ALL_HIDDEN;
      const value = parsed(part);
      if (value !== undefined) new Walk(this.#paths, values, null).through(value);
      else if (part !== '') values.isWhole = false;
    }
    const texts = values.texts();
    return {
      json: (text) => {
        if (text === '') return text;
        const value = parsed(text);
        if (value === undefined) return HIDDEN;
        // Written anew even where nothing is hidden: of two equal keys the text has both, and only the last was looked at.
        return JSON.stringify(new Walk(this.#paths, new HiddenValues(), texts).through(value));
      },
      text: (text, mostChars = text.length, isCut = false) =>
        texts === null ? UNCHECKED : texts.hide(text, mostChars, isCut),
    };
  }

  /** Is the field at this path, keys joined by dots, or one around it, hidden? */
  hides(path: string): boolean {
    let states = startOf(this.#paths);
    for (const key of path.split('.')) {
      const next = step(this.#paths, states, key);
      if (next === null) return true;
      states = next;
    }
    return false;
  }
}

function segmentOf(text: string): Segment {
  if (text === '**') return 'any depth';
  const wanted = text.toLowerCase();
  if (!/[*?]/.test(wanted)) return (key) => key === wanted;
  return globMatcher(wanted);
}

/** @returns undefined for what is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Places in paths that a place in a value has come to: of each path how many segments it has behind it. */
type States = ReadonlySet<number>;

function startOf(paths: readonly Path[]): States {
  return new Set(paths.map((_, i) => i * MAX_SEGMENTS));
}

/** One key further. @returns null: a path ends there. */
function step(paths: readonly Path[], states: States, key: string): States | null {
  const next = new Set<number>();
  for (const state of states) {
    const path = paths[Math.floor(state / MAX_SEGMENTS)] ?? [];
    let at = state % MAX_SEGMENTS;
    while (path[at] === 'any depth') {
      next.add(state - (state % MAX_SEGMENTS) + at);
      at += 1;
    }
    const segment = path[at];
    if (typeof segment !== 'function' || !segment(key.toLowerCase())) continue;
    if (at + 1 === path.length) return null;
    next.add(state - (state % MAX_SEGMENTS) + at + 1);
  }
  return next;
}

/** One way through one value. */
class Walk {
  readonly #paths: readonly Path[];
  readonly #values: HiddenValues;
  readonly #texts: HiddenTexts | null;
  #places = 0;

  /** @param values takes what is hidden. @param texts is hidden elsewhere too; null: not known yet, or not to be looked for. */
  constructor(paths: readonly Path[], values: HiddenValues, texts: HiddenTexts | null) {
    this.#paths = paths;
    this.#values = values;
    this.#texts = texts;
  }

  through(value: unknown): unknown {
    const shown = this.#shown(value, startOf(this.#paths), 0);
    if (this.#places <= MAX_PLACES) return shown;
    this.#values.isWhole = false;
    return HIDDEN;
  }

  #shown(value: unknown, states: States, depth: number): unknown {
    this.#places += 1;
    if (this.#places > MAX_PLACES) return HIDDEN;
    if (typeof value !== 'object' || value === null) return this.#leaf(value);
    if (depth > MAX_DEPTH) {
      this.#values.isWhole = false;
      return HIDDEN;
    }
    const places = Array.isArray(value) ? value.length : Object.keys(value).length;
    if (this.#places + places > MAX_PLACES) {
      this.#places += places;
      return HIDDEN;
    }
    if (Array.isArray(value))
      return value.map((item: unknown, i) => {
        const next = this.#step(states, String(i));
        return next === null ? this.#hide(item) : this.#shown(item, new Set([...states, ...next]), depth + 1);
      });
    const shown = Object.entries(value).map(([key, item]): [string, unknown] => {
      const next = key.length > MAX_KEY_CHARS ? null : this.#step(states, key);
      const name = this.#texts?.hide(key) ?? key;
      return [name, next === null ? this.#hide(item) : this.#shown(item, next, depth + 1)];
    });
    // Defined and not assigned, so that `__proto__` is a key like others.
    return Object.fromEntries(shown);
  }

  /** A key with dots is one key, and as many as it has parts. */
  #step(states: States, key: string): States | null {
    const whole = step(this.#paths, states, key);
    if (whole === null || !key.includes('.')) return whole;
    let parts = states;
    for (const part of key.split('.')) {
      this.#places += 1;
      const next = step(this.#paths, parts, part);
      if (next === null) return null;
      parts = next;
    }
    return new Set([...whole, ...parts]);
  }

  #hide(value: unknown): string {
    this.#values.add(value);
    return HIDDEN;
  }

  #leaf(value: unknown): unknown {
    if (this.#texts === null) return value;
    if (typeof value === 'string') return this.#texts.hide(value);
    return typeof value === 'number' && this.#texts.holds(String(value)) ? HIDDEN : value;
  }
}

/** Texts and numbers that stand in hidden fields. */
class HiddenValues {
  readonly #found = new Set<string>();
  /** False: there may be more that are not known. */
  isWhole = true;

  /** All that is in it. */
  add(value: unknown): void {
    const open: unknown[] = [value];
    for (let places = 0; open.length > 0; places += 1) {
      if (places > MAX_PLACES || this.#found.size > MAX_VALUES) {
        this.isWhole = false;
        return;
      }
      const one = open.pop();
      if (typeof one === 'string' || typeof one === 'number') this.#found.add(String(one));
      else if (typeof one === 'object' && one !== null)
        for (const inner of Object.values(one)) open.push(inner);
    }
  }

  /** null: not all are known. */
  texts(): HiddenTexts | null {
    return this.isWhole ? new HiddenTexts(this.#found) : null;
  }
}

/** Values that are to be in no text, in the forms in which one quotes them. */
class HiddenTexts {
  readonly #values: ReadonlySet<string>;
  readonly #forms: readonly string[];
  readonly #longest: number;
  readonly #short: RegExp | null;

  constructor(values: ReadonlySet<string>) {
    this.#values = values;
    const forms = new Set([...values].flatMap(formsOf));
    this.#forms = [...forms].filter((form) => form.length >= FEWEST_CHARS);
    this.#longest = Math.max(0, ...this.#forms.map((form) => form.length));
    const short = [...forms].filter((form) => form.length < FEWEST_CHARS && /[\p{L}\p{N}]/u.test(form));
    this.#short =
      short.length === 0
        ? null
        : new RegExp(`(?<![\\p{L}\\p{N}])(?:${short.map(escaped).join('|')})(?![\\p{L}\\p{N}])`, 'gu');
  }

  /** A number that is such a value. Short ones are too many of the same: a count, a place. */
  holds(number: string): boolean {
    return number.length >= FEWEST_CHARS && this.#values.has(number);
  }

  /** See Redaction.text. */
  hide(whole: string, mostChars = whole.length, isCut = false): string {
    const text = whole.slice(0, mostChars + this.#longest);
    const ranges: [number, number][] = [];
    for (const form of this.#forms)
      for (let at = text.indexOf(form); at >= 0; at = text.indexOf(form, at + form.length))
        ranges.push([at, at + form.length]);
    if (this.#short)
      for (const match of text.matchAll(this.#short))
        ranges.push([match.index, match.index + match[0].length]);
    if (isCut) ranges.push([this.#beginningAtEnd(text), text.length]);
    return without(text, ranges, mostChars);
  }

  /** Where a form begins that the end of the text cuts off; the text's length where none does. */
  #beginningAtEnd(text: string): number {
    // Half a character that a cut by bytes left.
    const end = text.replace(/\ufffd+$/, '').length;
    for (let at = Math.max(0, end - this.#longest); at <= end - FEWEST_CHARS; at += 1)
      if (this.#forms.some((form) => form.length > end - at && form.startsWith(text.slice(at, end))))
        return at;
    return text.length;
  }
}

/** The first characters of a text with these ranges replaced; ranges may overlap. */
function without(text: string, ranges: [number, number][], mostChars: number): string {
  if (ranges.length === 0) return text.slice(0, mostChars);
  ranges.sort((a, b) => a[0] - b[0]);
  let shown = '';
  let from = 0;
  for (const [start, end] of ranges) {
    if (start >= mostChars) break;
    if (start >= from && end > start) shown += text.slice(from, start) + HIDDEN;
    from = Math.max(from, end);
  }
  return shown + text.slice(from, Math.max(from, mostChars));
}

/** A value as it is, as JSON and a URL write it, and each of its longer lines. */
function formsOf(value: string): readonly string[] {
  const forms = [value, JSON.stringify(value).slice(1, -1)];
  const trimmed = value.trim();
  if (trimmed !== value) forms.push(trimmed);
  try {
    forms.push(encodeURIComponent(value));
  } catch {
    // Half of a pair of surrogates: no URL has it.
  }
  if (value.includes('\n'))
    for (const line of value.split('\n', MAX_VALUES))
      if (line.trim().length >= FEWEST_LINE_CHARS) forms.push(line.trim());
  return forms;
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

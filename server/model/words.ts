import { formatJobs } from './format.js';
import type { QueueState, RedisNode, Snapshot } from './snapshot.js';

/**
 * The first `most` of many things in an order, in that order: the same as to sort all and cut, without the price of
 * sorting those that are cut. Pure.
 */
export function firstOf<T>(things: Iterable<T>, most: number, compare: (a: T, b: T) => number): readonly T[] {
  if (most <= 0) return [];
  let kept: T[] = [];
  let last: T | undefined;
  for (const thing of things) {
    if (last !== undefined && compare(thing, last) >= 0) continue;
    kept.push(thing);
    if (kept.length < 2 * most) continue;
    kept = kept.sort(compare).slice(0, most);
    last = kept[most - 1];
  }
  return kept.sort(compare).slice(0, most);
}

const LONGEST_NAME = 80;
const LONGEST_PROBLEM = 200;
const LONGEST_SENTENCE = 600;

/** A name from Redis as it may stand in a sentence: control characters made visible, cut at 80 characters. */
export function plainName(name: string): string {
  return plainText(name, LONGEST_NAME);
}

/** A line of the server or the link as part of a sentence: plain, and without its own full stop. */
export function plainProblem(problem: string): string {
  return plainText(problem.trim().replace(/\.+$/, ''), LONGEST_PROBLEM);
}

/** What a person wrote, or the console said before: plain, and whole unless it is an essay. */
export function plainSentence(text: string): string {
  return plainText(text, LONGEST_SENTENCE);
}

function plainText(text: string, longest: number): string {
  // Names hold any character, and an unpaired surrogate or a line break would spoil every place a sentence goes to.
  const visible = text.replace(/[\p{Cs}\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd');
  const characters = Array.from(visible);
  return characters.length > longest ? `${characters.slice(0, longest - 1).join('')}…` : visible;
}

/** A queue as people call it: the bare name under BullMQ's default prefix, else the whole id. */
export function queueName(queue: QueueState): string {
  return plainName(queue.prefix === 'bull' ? queue.name : queue.id);
}

/** "Redis", or with its address where there is more than one node. */
export function nodeName(node: RedisNode, snapshot: Snapshot): string {
  return snapshot.nodes.length > 1 ? `Redis ${plainName(node.address)}` : 'Redis';
}

/** "1,204 jobs wait", "1 job waits". */
export function jobsWait(queue: QueueState): string {
  return `${formatJobs(queue.backlog)} ${queue.backlog === 1 ? 'waits' : 'wait'}`;
}

/** Where a finding about a number of jobs stands among its like: 0..49, by order of magnitude. */
export function magnitude(size: number): number {
  return Number.isFinite(size) && size > 0 ? Math.min(49, Math.log2(1 + size) * 2) : 0;
}

/** The beginning of a sentence. */
export function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A sentence as a part of another one; names stay as they are. */
export function lowerFirst(text: string): string {
  return text.startsWith('Redis') ? text : text.charAt(0).toLowerCase() + text.slice(1);
}

import type { Finding } from './finding.js';
import { troubleCode } from './hold-verdict.js';
import { isOf, isToldBy, type Spell, spellOf, toldSeverity, worstOf } from './spell.js';

/** A finding that comes and goes within this is not told. */
export const BEGIN_HELD_MS = 5_000;
/** As long it must be worse, until that is told. */
export const WORSE_HELD_MS = 5_000;
/** As long it must be away, until its end is told. */
export const END_HELD_MS = 15_000;
/**
 * After a restart the console has to look this long before it says that a trouble is over: rates, rows of failures and
 * queues that stand still are known only after a while.
 */
export const RESUMED_HELD_MS = 120_000;
/** A storm of findings is told up to here; the store and the reader have bounds. */
const MOST_OPEN = 500;

export interface OpenSpell {
  readonly spell: Spell;
  /** Since when it is worse than told; null: it is not. */
  readonly worseSinceMs: number | null;
  /** Since when it is not found, while the console sees; null: it is found. */
  readonly awaySinceMs: number | null;
  /** It was open when this console started, and has not been found since. */
  readonly isUnconfirmed: boolean;
}

/** What is known from tick to tick; the spells in it are kept in the store too. */
export interface SpellBook {
  readonly open: readonly OpenSpell[];
  /** By key: since when, in an unbroken row, a finding that is not told yet has been a warning or worse. */
  readonly fresh: ReadonlyMap<string, number>;
}

export interface SpellEvent {
  readonly kind: 'began' | 'worsened' | 'ended';
  readonly spell: Spell;
  readonly atMs: number;
  /** It ended at a time that nobody saw: between `spell.lastSeenAtMs` and `atMs` at the latest. */
  readonly isUnseen: boolean;
}

export const NO_SPELLS: SpellBook = { open: [], fresh: new Map() };

/** The book of a console that starts: what is open in the store is not begun again. */
export function resumedBook(spells: readonly Spell[]): SpellBook {
  return {
    open: spells.map((spell) => ({ spell, worseSinceMs: null, awaySinceMs: null, isUnconfirmed: true })),
    fresh: new Map(),
  };
}

/**
 * One tick of one instance. Pure.
 * @param findings of that instance; those that are only last seen keep their spell and add nothing to it.
 * @param isLive can the console see that instance? What it can't see neither begins nor ends.
 * @param newId gives the id of a spell that begins.
 */
export function stepSpells(
  book: SpellBook,
  tick: {
    readonly instance: string;
    readonly findings: readonly Finding[];
    readonly isLive: boolean;
    readonly nowMs: number;
  },
  newId: () => string,
): { readonly book: SpellBook; readonly told: readonly SpellEvent[] } {
  const told: SpellEvent[] = [];
  const others = book.open.filter(({ spell }) => spell.instance !== tick.instance);
  const own = book.open.filter(({ spell }) => spell.instance === tick.instance);
  const open = own.flatMap((one) => goOn(one, tick, told));
  const fresh = new Map([...book.fresh].filter(([key]) => !isIn(key, tick.instance)));
  for (const finding of tick.findings) {
    if (toldSeverity(finding.severity) === null || finding.lastSeenAtMs !== undefined) continue;
    if (open.some(({ spell }) => isSame(spell, finding))) continue;
    const sinceMs = book.fresh.get(finding.key) ?? tick.nowMs;
    if (tick.nowMs - sinceMs < BEGIN_HELD_MS || open.length + others.length >= MOST_OPEN) {
      fresh.set(finding.key, sinceMs);
      continue;
    }
    const spell = spellOf(newId(), finding, sinceMs, tick.nowMs);
    open.push({ spell, worseSinceMs: null, awaySinceMs: null, isUnconfirmed: false });
    told.push({ kind: 'began', spell, atMs: sinceMs, isUnseen: false });
  }
  return { book: { open: [...others, ...open], fresh }, told };
}

/** A finding of one queue of a group that is told together is no trouble of its own. */
function isSame(spell: Spell, finding: Finding): boolean {
  return (
    isOf(spell, finding) ||
    (troubleCode(spell.code) === troubleCode(finding.code) &&
      finding.queue !== null &&
      spell.queues.includes(finding.queue))
  );
}

/** Keys are `code|instance|…`; an instance's name holds no bar. */
function isIn(key: string, instance: string): boolean {
  return key.split('|', 2)[1] === instance;
}

function goOn(
  one: OpenSpell,
  tick: { readonly findings: readonly Finding[]; readonly isLive: boolean; readonly nowMs: number },
  told: SpellEvent[],
): readonly OpenSpell[] {
  const { nowMs } = tick;
  const found = tick.findings.filter((finding) => isToldBy(one.spell, finding));
  const own = found.find((finding) => isOf(one.spell, finding));
  if (own && own.lastSeenAtMs === undefined && toldSeverity(own.severity) !== null)
    return [seen(one, own, nowMs, told)];
  const isElsewhere = found.some((finding) => finding !== own);
  if (isElsewhere && tick.isLive)
    return [
      { ...one, spell: { ...one.spell, lastSeenAtMs: nowMs }, awaySinceMs: null, isUnconfirmed: false },
    ];
  // What it was last seen as holds until the console sees again: all of the Redis, or the queue or master it is about.
  if (!tick.isLive || found.some(({ lastSeenAtMs }) => lastSeenAtMs !== undefined))
    return [{ ...one, awaySinceMs: null }];
  const awaySinceMs = one.awaySinceMs ?? nowMs;
  if (nowMs - awaySinceMs < (one.isUnconfirmed ? RESUMED_HELD_MS : END_HELD_MS))
    return [{ ...one, awaySinceMs, worseSinceMs: null }];
  const endedAtMs = one.isUnconfirmed ? one.spell.lastSeenAtMs : awaySinceMs;
  told.push({
    kind: 'ended',
    spell: { ...one.spell, endedAtMs },
    atMs: awaySinceMs,
    isUnseen: one.isUnconfirmed,
  });
  return [];
}

function seen(one: OpenSpell, finding: Finding, nowMs: number, told: SpellEvent[]): OpenSpell {
  const isWorse = one.spell.severity === 'warning' && finding.severity === 'critical';
  const worseSinceMs = isWorse ? (one.worseSinceMs ?? nowMs) : null;
  const isTold = worseSinceMs !== null && nowMs - worseSinceMs >= WORSE_HELD_MS;
  const spell: Spell = {
    ...one.spell,
    lastSeenAtMs: nowMs,
    queues: finding.queues ?? one.spell.queues,
    worst: worstOf(one.spell.worst, finding.evidence),
    ...(isTold ? { severity: 'critical' as const, title: finding.title } : {}),
  };
  if (isTold) told.push({ kind: 'worsened', spell, atMs: worseSinceMs, isUnseen: false });
  return { spell, worseSinceMs: isTold ? null : worseSinceMs, awaySinceMs: null, isUnconfirmed: false };
}

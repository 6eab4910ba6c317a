import { STATUS_WORDS } from '../../../views/action-outcome.js';
import { undoPath } from '../../../views/links.js';
import type { ToldProps, ToldRow } from '../../../views/replay-told.js';
import type { OutcomeStatus } from '../../model/action.js';
import { formatCount } from '../../model/format.js';
import type { OrderOutcome } from '../../model/replay.js';
import type { Actor } from '../../model/role.js';
import { capitalized, plainName } from '../../model/words.js';

const MAX_KEPT = 100;
const MAX_ROWS = 25;
const WORST_FIRST: readonly OutcomeStatus[] = ['failed', 'refused', 'unverified', 'unchanged', 'applied'];

interface Told {
  readonly actor: string;
  readonly props: ToldProps;
}
const kept = new Map<string, Told>();

/**
 * Keeps what came of an order for the page that comes after it, so that reloading that page does nothing once more. The
 * last hundred, in memory: the audit has them all.
 * @returns the address to go to.
 */
export function keepTold(
  id: string,
  actor: Actor,
  label: string,
  outcomes: readonly OrderOutcome[],
  back: string,
): string {
  kept.set(id, { actor: actor.name, props: toldOf(label, outcomes) });
  for (const old of kept.keys()) {
    if (kept.size <= MAX_KEPT) break;
    kept.delete(old);
  }
  return `${back}?${new URLSearchParams({ told: id })}`;
}

/** What came of an order, for whoever gave it; null: nothing to tell, or it is forgotten. */
export function toldTo(actor: Actor, id: string | undefined): ToldProps | null {
  const told = id === undefined ? undefined : kept.get(id);
  return told?.actor === actor.name ? told.props : null;
}

function toldOf(label: string, outcomes: readonly OrderOutcome[]): ToldProps {
  const counts = WORST_FIRST.flatMap((status) => {
    const count = outcomes.filter((outcome) => outcome.status === status).length;
    return count > 0 ? [`${formatCount(count)} ${wordOf(status)}`] : [];
  });
  const sorted = outcomes.toSorted((a, b) => WORST_FIRST.indexOf(a.status) - WORST_FIRST.indexOf(b.status));
  return {
    title: `${label}: ${counts.length > 0 ? counts.join(', ') : 'there was nothing to change'}`,
    rows: sorted.slice(0, MAX_ROWS).map(rowOf),
    more: Math.max(0, outcomes.length - MAX_ROWS),
  };
}

function rowOf(outcome: OrderOutcome): ToldRow {
  const names = outcome.queues.slice(0, 3).map(plainName).join(', ');
  return {
    name: outcome.replay === null ? names : `Replay of ${names}`,
    state: STATUS_WORDS[outcome.status].state,
    icon: STATUS_WORDS[outcome.status].icon,
    status: wordOf(outcome.status),
    summary: capitalized(outcome.summary),
    warnings: outcome.warnings,
    undoHref: outcome.undo && outcome.status !== 'unchanged' ? undoPath(outcome.undo) : null,
  };
}

function wordOf(status: OutcomeStatus): string {
  return status === 'applied' ? 'done' : STATUS_WORDS[status].word;
}

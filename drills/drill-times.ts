import { DEFAULT_RULES } from '../server/alerts/default-rules.js';
import { DEFAULT_GROUP_TIMING } from '../server/alerts/grouping.js';
import { ruleText } from '../server/alerts/rule.js';

/**
 * How much longer than promised a drill waits: 1 where it has the machine for itself. Tests that share two cores with
 * others give more, so that what is checked is the behaviour and not the neighbour.
 */
export const PATIENCE = Math.max(1, Number(process.env.SPILLWAY_DRILL_PATIENCE) || 1);

/** A drill lasts about a minute where an incident lasts half an hour. */
export const TIMES_SHORTER = 20;

/**
 * The default rules as the configuration of a drill's console gives them: what they say is unchanged, and all of their
 * times are shorter by the same factor.
 */
export function rulesOfDrill() {
  return DEFAULT_RULES.map((rule) => {
    const text = ruleText(rule);
    return {
      ...text,
      forSeconds: text.forSeconds / TIMES_SHORTER,
      keepFiringSeconds: text.keepFiringSeconds / TIMES_SHORTER,
    };
  });
}

/** Messages wait for each other as much shorter. */
export function groupTimingOfDrill() {
  const { waitMs, intervalMs } = DEFAULT_GROUP_TIMING;
  return {
    groupWaitSeconds: waitMs.warning / 1000 / TIMES_SHORTER,
    groupIntervalSeconds: intervalMs / 1000 / TIMES_SHORTER,
  };
}

/**
 * How much longer than promised a drill waits: 1 where it has the machine for itself. Tests that share two cores with
 * others give more, so that what is checked is the behaviour and not the neighbour.
 */
export const PATIENCE = Math.max(1, Number(process.env.SPILLWAY_DRILL_PATIENCE) || 1);

import { CONSOLE_SIGNALS } from './console-signals.js';
import { JOB_TYPE_SIGNALS } from './job-type-signals.js';
import { MEMORY_SIGNALS } from './memory-signals.js';
import { NODE_SIGNALS } from './node-signals.js';
import { QUEUE_FLOW_SIGNALS } from './queue-flow-signals.js';
import { QUEUE_JOB_SIGNALS, QUEUE_MEMORY_SIGNALS } from './queue-job-signals.js';
import type { Signal } from './signal.js';
import { contained } from './signal.js';
import { TOTAL_SIGNALS } from './total-signals.js';
import {
  FLEET_SIGNALS,
  JOB_TYPE_SILENCE_SIGNALS,
  QUEUE_SILENCE_SIGNALS,
  QUEUE_WORKER_SIGNALS,
} from './worker-signals.js';

/**
 * The registry of signals, what can be seen: this folder's entry. Charts, /metrics, alert rules and API fields derive from
 * it. It imports model and forecast, and does no I/O. signal.ts says what a signal is; to add one, add an entry to the file of
 * its group (node-signals.ts is one to copy); a new group is one file and one line here. None of them throws.
 */
export const SIGNALS: readonly Signal[] = [
  ...CONSOLE_SIGNALS,
  ...TOTAL_SIGNALS,
  ...MEMORY_SIGNALS,
  ...NODE_SIGNALS,
  ...QUEUE_JOB_SIGNALS,
  ...QUEUE_FLOW_SIGNALS,
  ...QUEUE_MEMORY_SIGNALS,
  ...FLEET_SIGNALS,
  ...QUEUE_WORKER_SIGNALS,
  ...QUEUE_SILENCE_SIGNALS,
  ...JOB_TYPE_SIGNALS,
  ...JOB_TYPE_SILENCE_SIGNALS,
].map(contained);

/** The signal of that name, or null. */
export function signalNamed(name: string): Signal | null {
  return SIGNALS.find((signal) => signal.name === name) ?? null;
}

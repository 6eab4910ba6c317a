import type { HealthCode, HealthProblem } from '../model/console-health.js';
import { formatDuration } from '../model/format.js';
import { isPowerOfTen, reasonOf, type WorkHealth } from './every.js';

/** So many within so long: what throws does so again and again, and nobody knows in which state it leaves the rest. */
const MAX_UNCAUGHT = 20;
const WITHIN_MS = 60_000;

interface LastResortDeps {
  /** Keeps it as a fault of the console, and logs it. */
  readonly note: (part: string, error: unknown) => void;
  readonly now: () => number;
  /** For the line that is left behind; stderr. */
  readonly write: (line: string) => void;
  readonly exit: (code: number) => void;
}

/**
 * The one place that decides what becomes of an error that nobody caught: it is shown as a fault of the console, and the
 * console goes on. That is safe here where it is not in general: what is seen is read anew each second; what is kept is
 * written in transactions; and what moves jobs finds out by its write-ahead records what was done, as after a kill. Where
 * memory has run out, or errors come without end, the process ends with a line that says why, so that whoever started it
 * starts it anew, and another console takes over within 11 s.
 * @returns takes both handlers away.
 */
export function installLastResort(
  deps: LastResortDeps,
  process: Pick<NodeJS.Process, 'on' | 'off'> = globalThis.process,
): () => void {
  let recent: number[] = [];
  const handle = (part: string, error: unknown): void => {
    const nowMs = deps.now();
    recent = [...recent.filter((atMs) => nowMs - atMs < WITHIN_MS), nowMs];
    deps.note(part, error);
    const end = isOutOfMemory(error)
      ? 'memory has run out'
      : recent.length > MAX_UNCAUGHT
        ? `${recent.length} errors in ${WITHIN_MS / 1000} s that nothing caught`
        : null;
    if (end === null) return;
    deps.write(`spillway: ends itself: ${end} (the last: ${reasonOf(error)}); start it again\n`);
    deps.exit(70);
  };
  const onRejection = (reason: unknown): void => handle('work in the background', reason);
  const onException = (error: unknown): void => handle('a callback', error);
  process.on('unhandledRejection', onRejection);
  process.on('uncaughtException', onException);
  return () => {
    process.off('unhandledRejection', onRejection);
    process.off('uncaughtException', onException);
  };
}

function isOutOfMemory(error: unknown): boolean {
  return (
    error instanceof Error && /ERR_MEMORY_ALLOCATION_FAILED|Array buffer allocation failed/.test(`${error}`)
  );
}

/** A part that has thrown is shown for so long after it last did. */
const FAULT_TOLD_MS = 5 * 60_000;
/** Parts are named by registries and routes, which are bounded; this holds whatever they are called. */
const MAX_PARTS = 200;
/** One failure may be the moment; work that fails for so long does not do what people rely on. */
const FAILING_FOR_MS = 4_000;
/** A run that takes longer is shown as one that does not come back. */
const LATE_FOR_MS = 20_000;

interface OwnHealthDeps {
  readonly now: () => number;
  /** The error comes with it, for its stack. */
  readonly warn: (message: string, error: unknown) => void;
}

/** Work that people rely on without looking: what fails with it, and what to do. */
interface Automation {
  readonly code: HealthCode;
  /** As the subject of a sentence: “The spillway policy”. */
  readonly name: string;
  /** What does not happen while it fails, and what to do: whole sentences. */
  readonly harm: string;
  /** Of all that it consists of. */
  readonly health: () => readonly WorkHealth[];
  /** Does it hurt users now that it fails? Left out: not yet. */
  readonly isUrgent?: () => boolean;
}

/** Runs a part of the console; what it throws costs that part alone. */
type Guard = <T>(part: string, run: () => T, otherwise: T) => T;

interface Fault {
  count: number;
  sinceMs: number;
  lastAtMs: number;
  reason: string;
}

/**
 * What is wrong with the console itself, by what its parts say: those that threw, and automation that fails. It is shown as
 * findings of the console; the log has the first throw of a part with its stack, and then the 10th, the 100th and so on.
 */
export class OwnHealth {
  readonly #deps: OwnHealthDeps;
  readonly #faults = new Map<string, Fault>();
  readonly #automations: Automation[] = [];
  readonly #sources: (() => readonly HealthProblem[])[] = [];

  constructor(deps: OwnHealthDeps) {
    this.#deps = deps;
  }

  readonly guard: Guard = (part, run, otherwise) => {
    try {
      return run();
    } catch (error) {
      this.note(part, error);
      return otherwise;
    }
  };

  /** That a part has thrown. */
  note(part: string, error: unknown): void {
    const nowMs = this.#deps.now();
    this.#forget(nowMs);
    const known = this.#faults.get(part);
    if (!known && this.#faults.size >= MAX_PARTS) return;
    const fault = known ?? { count: 0, sinceMs: nowMs, lastAtMs: nowMs, reason: '' };
    fault.count += 1;
    fault.lastAtMs = nowMs;
    fault.reason = reasonOf(error);
    this.#faults.set(part, fault);
    if (!isPowerOfTen(fault.count)) return;
    const times = fault.count === 1 ? '' : ` (${fault.count} times by now)`;
    this.#deps.warn(`${part} has failed${times} (${fault.reason}); the console goes on without it`, error);
  }

  /** From now on it is shown where this fails. */
  watchOver(automation: Automation): void {
    this.#automations.push(automation);
  }

  /** From now on what it says is shown too. */
  addSource(source: () => readonly HealthProblem[]): void {
    this.#sources.push(source);
  }

  /** Everything that is wrong now. */
  problems(): readonly HealthProblem[] {
    const nowMs = this.#deps.now();
    this.#forget(nowMs);
    const faults = [...this.#faults].map(([part, { count, sinceMs, reason }]) => {
      const times = count === 1 ? 'once' : `${count} times in ${formatDuration((nowMs - sinceMs) / 1000)}`;
      return {
        code: 'fault',
        subject: part,
        text: `${part} has failed ${times} (${reason})`,
        count,
      } as const;
    });
    const automations = this.#automations.flatMap((one) => problemOf(one, nowMs));
    const shown = this.#sources.flatMap((source) => this.guard("the console's own health", source, []));
    return [...shown, ...automations, ...faults];
  }

  #forget(nowMs: number): void {
    for (const [part, { lastAtMs }] of this.#faults)
      if (nowMs - lastAtMs > FAULT_TOLD_MS) this.#faults.delete(part);
  }
}

function problemOf(automation: Automation, nowMs: number): readonly HealthProblem[] {
  const { code, name, harm, isUrgent } = automation;
  const [worst] = automation
    .health()
    .flatMap((health) => whatIsWrong(health, nowMs) ?? [])
    .sort((a, b) => b.forMs - a.forMs);
  if (!worst) return [];
  const forWords = formatDuration(worst.forMs / 1000);
  const text = `${name} ${worst.words} for ${forWords}${worst.reason === null ? '' : ` (${worst.reason})`}. ${harm}`;
  return [{ code, subject: name, text, count: worst.failures, isUrgent: isUrgent?.() ?? false }];
}

function whatIsWrong({ failingSinceMs, failuresInRow, problem, lateMs }: WorkHealth, nowMs: number) {
  if (failingSinceMs !== null && failuresInRow > 1 && nowMs - failingSinceMs >= FAILING_FOR_MS)
    return { words: 'has failed', forMs: nowMs - failingSinceMs, failures: failuresInRow, reason: problem };
  if (lateMs < LATE_FOR_MS) return null;
  return { words: 'has not come back', forMs: lateMs, failures: failuresInRow, reason: problem };
}

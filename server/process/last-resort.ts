import { reasonOf } from './every.js';

/** So many within so long: what throws does so again and again, and nobody knows in which state it leaves the rest. */
const MAX_UNCAUGHT = 20;
const WITHIN_MS = 60_000;

export interface LastResortDeps {
  /** Keeps it as a fault of the console, and logs it. */
  readonly note: (part: string, error: unknown) => void;
  readonly now: () => number;
  /** For the line that is left behind; stderr. */
  readonly write: (line: string) => void;
  readonly exit: (code: number) => void;
}

/**
 * The one place that decides what becomes of an error that nobody caught: it is told as a fault of the console, and the
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

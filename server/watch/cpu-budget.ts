/**
 * What the console may still spend of Redis for looks that can wait: the walk over the keys, samples of jobs, what ended.
 * They take what the regular reads leave of the budget. A console that has just been opened has a credit, since whoever
 * opens it waits for an answer: it is spent fast where Redis has processor to spare, and never comes back.
 */
export interface CpuBudget {
  /** µs of Redis; negative: more was spent than there was. */
  readonly creditUsec: number;
}

interface CreditInput {
  /** Since the last tick. */
  readonly elapsedMs: number;
  /** 0..1 of a core. */
  readonly budgetRatio: number;
  /** What the regular reads cost, 0..1 of a core. */
  readonly regularRatio: number;
  /** What Redis is busy with beside the console, 0..1 of a core. */
  readonly othersRatio: number;
}

/** The credit at the start: as much as the budget gives in so many seconds. */
const FIRST_SECONDS = 100;
/** What a queue that was found adds to it: enough for the keys among which the next one is met, and for a look at its jobs. */
const NEW_QUEUE_USEC = 100;
/** What was not needed is kept for so long. */
const KEPT_SECONDS = 3;
/** A console that was held up for longer does not make up for it at once. */
const LONGEST_TICK_MS = 30_000;
/** Parts of the budget: what is aimed at, for cost is an estimate; what looks that can wait get at least. */
const AIM = 0.65;
const LEAST = 0.1;
/** The credit is used at most at so many times the budget… */
const MAX_TIMES = 18;
/** …and only where Redis is not busier than this. */
const BUSY_RATIO = 0.6;

/** The budget of a console that has just begun to watch. */
export function newBudget(budgetRatio: number): CpuBudget {
  return { creditUsec: budgetRatio * FIRST_SECONDS * 1e6 };
}

/**
 * One tick's income.
 * @returns the budget with it, what may be spent in this tick, and what of it would be without the credit of the start, µs;
 * 0 while there is a debt.
 */
export function credit(
  budget: CpuBudget,
  { elapsedMs, budgetRatio, regularRatio, othersRatio }: CreditInput,
): { readonly budget: CpuBudget; readonly allowanceUsec: number; readonly incomeUsec: number } {
  const tickMs = Math.min(LONGEST_TICK_MS, Math.max(0, elapsedMs));
  const over = Math.max(0, regularRatio - budgetRatio) * 1_000 * tickMs;
  const perMsUsec = 1_000 * Math.max(budgetRatio * LEAST, budgetRatio * AIM - regularRatio);
  const income = perMsUsec * tickMs;
  const most = Math.max(budget.creditUsec, keptUsec(budgetRatio));
  // Regular reads over the budget live on the credit too; nobody falls into debt by them, for then their pace is slowed.
  const creditUsec = Math.min(
    most,
    Math.max(Math.min(0, budget.creditUsec), budget.creditUsec - over) + income,
  );
  const fastest = othersRatio < BUSY_RATIO ? budgetRatio * MAX_TIMES * 1_000 * tickMs : income;
  const allowanceUsec = Math.max(0, Math.min(creditUsec, fastest));
  return { budget: { creditUsec }, allowanceUsec, incomeUsec: Math.min(allowanceUsec, income) };
}

/** The budget after so many queues were found that nothing is known of yet; never more than that of a new console. */
export function grant(budget: CpuBudget, queues: number, budgetRatio: number): CpuBudget {
  const first = newBudget(budgetRatio).creditUsec;
  const creditUsec = Math.min(
    Math.max(first, budget.creditUsec),
    budget.creditUsec + queues * NEW_QUEUE_USEC,
  );
  return { creditUsec };
}

/** The credit of the start is not spent yet: the console is in its first look. */
export function hasFirstCredit(budget: CpuBudget, budgetRatio: number): boolean {
  return budget.creditUsec > keptUsec(budgetRatio);
}

function keptUsec(budgetRatio: number): number {
  return budgetRatio * KEPT_SECONDS * 1e6;
}

/** The budget after something was read. */
export function debit(budget: CpuBudget, usec: number): CpuBudget {
  return { creditUsec: budget.creditUsec - usec };
}

import type { Report } from './contain.js';

/** Options of `attach`. */
export interface AttachOptions {
  /**
   * A name of this worker that outlives a restart and that no other worker of its queue on this host has; settings that are
   * ordered for this worker alone are kept under it; where others have it too, such an order ends with the worker. Default: the worker's own `name` option, else none.
   */
  readonly name?: string;
  /** What people find it by: release, region, pool. At most 20, of 100 characters each. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Shared with the console: orders that are not signed with it are ignored and counted. At least 16 characters. */
  readonly secret?: string;
  /** What orders may not go beyond. Default of maxConcurrency: 10,000, or what the worker was deployed with where that is more. */
  readonly limits?: { readonly maxConcurrency?: number };
  /** A client to make the agent's connections from: of ioredis, or what BullMQ makes of another. Default: the worker's own connection. It is not used itself, nor closed. */
  readonly connection?: unknown;
  /** Called once for each thing that keeps the agent from its work; the worker goes on. Default: a process warning. */
  readonly onProblem?: (problem: string) => void;
}

/** The same, checked. */
export interface CheckedOptions {
  readonly name: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly secret: string | null;
  /** null: not given. */
  readonly maxConcurrency: number | null;
  readonly connection: unknown;
  /** Never throws. */
  readonly onProblem: Report;
}

/** Far more than a worker needs, and far less than what ends its process by memory. */
export const DEFAULT_MAX_CONCURRENCY = 10_000;

const MAX_LABELS = 20;
const MAX_CHARS = 100;

/** @returns the options that can be used, and what is wrong with the others: a mistake here must not stop a worker. */
export function checkOptions(
  options: AttachOptions,
  ownName: string | undefined,
  onProblem: Report,
): { readonly checked: CheckedOptions; readonly problems: readonly string[] } {
  const problems: string[] = [];
  const name = options.name ?? ownName ?? null;
  const labels = Object.entries(options.labels ?? {}).map(([key, value]) => [
    key.slice(0, MAX_CHARS),
    String(value).slice(0, MAX_CHARS),
  ]);
  if (labels.length > MAX_LABELS)
    problems.push(`labels: ${labels.length} are given, and at most ${MAX_LABELS} are sent`);
  // A secret of the wrong type must not be taken for none: orders would count unsigned.
  const secret = options.secret == null ? null : String(options.secret);
  if (secret !== null && secret.length < 16) {
    problems.push(
      'secret: it has fewer than 16 characters and is easily guessed; make one with `openssl rand -hex 32`',
    );
  }
  const most = options.limits?.maxConcurrency;
  if (most !== undefined && !(Number.isInteger(most) && most >= 1)) {
    problems.push(`limits.maxConcurrency: ${String(most)} must be a whole number of at least 1; 1 is taken`);
  }
  return {
    checked: {
      // Cut by signs and not by halves of one: a half is not the same any more after it has been through Redis.
      name: name === null || name === '' ? null : Array.from(String(name)).slice(0, MAX_CHARS).join(''),
      labels: Object.fromEntries(labels.slice(0, MAX_LABELS)),
      secret,
      maxConcurrency: most === undefined ? null : Number.isInteger(most) && most >= 1 ? most : 1,
      connection: options.connection,
      onProblem,
    },
    problems,
  };
}

/**
 * Options of `attach` where nobody writes code: SPILLWAY_AGENT_NAME, _LABELS (JSON), _SECRET, _MAX_CONCURRENCY. What can't be
 * read is left out, and named in `problems`.
 */
export function optionsOfEnvironment(environment: Readonly<Record<string, string | undefined>>): {
  readonly options: AttachOptions;
  readonly problems: readonly string[];
} {
  const problems: string[] = [];
  const given = (name: string): string | null => environment[`SPILLWAY_AGENT_${name}`] || null;
  const [name, secret, most] = [given('NAME'), given('SECRET'), given('MAX_CONCURRENCY')];
  const options: AttachOptions = {
    ...(name === null ? {} : { name }),
    ...(secret === null ? {} : { secret }),
    ...(most === null ? {} : { limits: { maxConcurrency: Number(most) } }),
    labels: labelsOf(given('LABELS'), problems),
  };
  return { options, problems };
}

function labelsOf(text: string | null, problems: string[]): Record<string, string> {
  if (text === null) return {};
  try {
    const labels: unknown = JSON.parse(text);
    if (typeof labels === 'object' && labels !== null && !Array.isArray(labels))
      return labels as Record<string, string>;
  } catch {
    // Named below.
  }
  problems.push('SPILLWAY_AGENT_LABELS: it must be JSON like {"release":"41"}; no labels are sent');
  return {};
}

export function warn(problem: string): void {
  process.emitWarning(problem, 'SpillwayAgentWarning');
}

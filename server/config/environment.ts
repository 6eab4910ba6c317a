import type { z } from 'zod';
import { fileSchema, tokenEntry } from './config-file.js';
import { describeIssue, maskedSetting } from './mask-secrets.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** These have variables of their own, whose form is another; and a Service of Kubernetes sets SPILLWAY_PORT. */
const OWN_VARIABLES: ReadonlySet<string> = new Set([
  ...['host', 'port', 'logLevel', 'data', 'basePath', 'publicUrl', 'trustedProxies', 'redact', 'readOnly'],
  'tokens',
]);

/** Variable of an option of the file: `SPILLWAY_BASE_PATH` of `basePath`. */
export function variableOf(key: string): string {
  return `SPILLWAY_${snake(key)}`;
}

/** Options of the file that the environment gives, lists and objects as JSON: each in place of the file's. */
export function variablesIn(environment: Environment): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.keys(fileSchema.shape).flatMap((key) => {
      const text = environment[variableOf(key)];
      return text === undefined || text === '' || OWN_VARIABLES.has(key) ? [] : [[key, valueIn(text)]];
    }),
  );
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

/** Numbers and lists as JSON has them; anything else is text. */
function valueIn(text: string): unknown {
  if (!/^([[{]|\d+(\.\d+)?$)/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** A setting of the environment, by the schema of the file's. */
export function settingOf<T>(
  name: string,
  given: string | undefined,
  schema: z.ZodType<T>,
  problems: string[],
  read: (text: string) => unknown = (text) => text,
): T | null {
  if (given === undefined || given === '') return null;
  const parsed = schema.safeParse(read(given));
  if (parsed.success) return parsed.data;
  problems.push(`${name}: ${maskedSetting(name, given)} ${parsed.error.issues[0]?.message}`);
  return null;
}

/** Anything else is left for the schema to refuse. */
export function truth(text: string): unknown {
  return text === 'true' ? true : text === 'false' ? false : text;
}

/** A list as JSON, or with commas. */
export function listIn(text: string): unknown {
  if (!text.startsWith('[')) return text.split(',').map((entry) => entry.trim());
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * A section of the file with what `SPILLWAY_<SECTION>_<OPTION>` says of it, lists as JSON.
 * @returns null where neither has it, or it is wrong.
 */
export function sectionOf<S extends z.ZodObject>(
  name: string,
  schema: S,
  fromFile: unknown,
  environment: Environment,
  problems: string[],
): z.output<S> | null {
  const variables = new Map(
    Object.keys(schema.shape).map((key) => [key, `SPILLWAY_${snake(name)}_${snake(key)}`]),
  );
  const given = [...variables].flatMap(([key, variable]) => {
    const text = environment[variable];
    return text === undefined || text === '' ? [] : [[key, valueIn(text)] as const];
  });
  if (given.length === 0 && fromFile === undefined) return null;
  const value = { ...(fromFile as object | undefined), ...Object.fromEntries(given) };
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const sources = new Map(given.map(([key]) => [key, variables.get(key)]));
  for (const issue of parsed.error.issues) {
    const [key, ...rest] = issue.path.map(String);
    const variable = key === undefined ? undefined : sources.get(key);
    const text = describeIssue({ ...issue, path: [name, ...issue.path] }, { [name]: value });
    const at = variable && [variable, ...rest].join('.');
    problems.push(at ? text.replace(/^[^:]*/, at) : text);
  }
  return null;
}

/** For every Redis that has none of its own in the file. */
export function agentSecretOf(secret: string | undefined, problems: string[]): string | null {
  if (secret === undefined || secret === '') return null;
  if (secret.length >= 16) return secret;
  problems.push(
    'SPILLWAY_AGENT_SECRET: **** must have at least 16 characters: make one with `openssl rand -hex 32`',
  );
  return null;
}

/** `name:role:sha256,…` */
export function tokensOf(
  text: string | undefined,
  problems: string[],
): readonly z.infer<typeof tokenEntry>[] {
  if (!text) return [];
  return text.split(',').flatMap((entry, i) => {
    const [name, role, sha256] = entry.trim().split(':');
    const parsed = tokenEntry.safeParse({ name, role, sha256 });
    if (parsed.success) return [parsed.data];
    for (const issue of parsed.error.issues) {
      problems.push(
        `SPILLWAY_TOKENS: entry ${i + 1}, ${issue.path.join('.')}: ${issue.message} (each entry is name:role:sha256)`,
      );
    }
    return [];
  });
}

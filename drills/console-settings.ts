import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { DEFAULT_RULES } from '../server/alerts/default-rules.js';
import { DEFAULT_GROUP_TIMING } from '../server/alerts/grouping.js';
import { ruleText } from '../server/alerts/rule.js';
import { hashToken } from '../server/auth/wrong-tokens.js';
import type { FileConfig } from '../server/config/config-file.js';
import { ROLES } from '../server/model/role.js';
import type { AlertTable } from './alert-checks.js';
import type { Tokens } from './api.js';

/** A drill lasts about a minute where an incident lasts half an hour. */
export const TIMES_SHORTER = 20;

/** What a drill's console is configured with beyond its Redis. */
export interface ConsoleSettings {
  /** Where job data name the tenant. */
  readonly tenantField?: string;
  /** What the console does by itself when memory runs out, as the file says it. */
  readonly spillway?: NonNullable<NonNullable<FileConfig['instances']>[number]['spillway']>;
  /** One for each role; none: everybody on this machine is admin. */
  readonly tokens?: Tokens;
  /** Alert rules beside the default ones. */
  readonly rules?: AlertTable['rules'];
  /** Who is sent alerts; none: nobody. */
  readonly webhook?: { readonly url: string; readonly secret: string };
}

/** Tokens that hold for this drill only. */
export function newTokens(): Tokens {
  const token = (): string => randomBytes(24).toString('hex');
  return { viewer: token(), operator: token(), admin: token() };
}

/**
 * Writes the console's configuration file, and gives the variables that point to it. What this process was started with is
 * overruled: a drill is the same wherever it is run. The default alert rules say what they always say, and all of their
 * times, and those for which messages wait for each other, are shorter by the same factor.
 * @param redisUrl Where its Redis is.
 * @param address of the console, for links in messages.
 * @param directory is removed with the drill.
 */
export async function environmentOf(
  { tenantField, tokens, spillway, rules = [], webhook }: ConsoleSettings,
  address: string,
  redisUrl: string,
  directory: string,
): Promise<Readonly<Record<'REDIS_URL' | 'SPILLWAY_CONFIG' | 'SPILLWAY_TOKENS', string>>> {
  const path = join(directory, 'spillway.yaml');
  const defaults = DEFAULT_RULES.map(ruleText).map((text) => ({
    ...text,
    forSeconds: text.forSeconds / TIMES_SHORTER,
    keepFiringSeconds: text.keepFiringSeconds / TIMES_SHORTER,
  }));
  const file = {
    publicUrl: address,
    alerts: {
      rules: [...defaults, ...rules],
      groupWaitSeconds: DEFAULT_GROUP_TIMING.waitMs.warning / 1000 / TIMES_SHORTER,
      groupIntervalSeconds: DEFAULT_GROUP_TIMING.intervalMs / 1000 / TIMES_SHORTER,
      channels: webhook ? [{ name: 'pager', type: 'webhook', ...webhook }] : [],
    },
    ...(tenantField === undefined ? {} : { tenantField }),
    ...(spillway === undefined ? {} : { instances: [{ name: 'default', url: redisUrl, spillway }] }),
  };
  await writeFile(path, stringify(file));
  return {
    // The variable would overrule the file.
    REDIS_URL: spillway === undefined ? redisUrl : '',
    SPILLWAY_CONFIG: path,
    SPILLWAY_TOKENS: tokens
      ? ROLES.map((role) => `${role}:${role}:${hashToken(tokens[role])}`).join(',')
      : '',
  };
}

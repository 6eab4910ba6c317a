import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { ROLES, type Role } from '../server/auth/role.js';
import { hashToken } from '../server/auth/tokens.js';

/** What a drill's console is configured with beyond its Redis. */
export interface ConsoleSettings {
  /** Where job data name the tenant. */
  readonly tenantField?: string;
  /** One for each role; none: everybody on this machine is admin. */
  readonly tokens?: Tokens;
}

/** The token of each role, as they are sent. */
export type Tokens = Readonly<Record<Role, string>>;

/** Tokens that hold for this drill only. */
export function newTokens(): Tokens {
  const token = (): string => randomBytes(24).toString('hex');
  return { viewer: token(), operator: token(), admin: token() };
}

/**
 * Writes the console's configuration file, and gives the variables that point to it. What this process was started with is
 * overruled: a drill is the same wherever it is run.
 * @param directory is removed with the drill.
 */
export async function environmentOf(
  { tenantField, tokens }: ConsoleSettings,
  directory: string,
): Promise<Readonly<Record<'SPILLWAY_CONFIG' | 'SPILLWAY_TOKENS', string>>> {
  const path = join(directory, 'spillway.yaml');
  if (tenantField !== undefined) await writeFile(path, stringify({ tenantField }));
  return {
    SPILLWAY_CONFIG: tenantField === undefined ? '' : path,
    SPILLWAY_TOKENS: tokens
      ? ROLES.map((role) => `${role}:${role}:${hashToken(tokens[role])}`).join(',')
      : '',
  };
}

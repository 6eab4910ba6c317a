import { readFileSync } from 'node:fs';
import { parse as parseYaml, YAMLParseError } from 'yaml';
import { z } from 'zod';
import type { AlertSettings } from '../alerts/channels/settings.js';
import { fromEnvironment } from '../alerts/channels/settings.js';
import { type AlertsConfig, alertsConfigOf } from '../alerts/rules-config.js';
import type { HistorySettings } from '../history/points.js';
import type { Thresholds } from '../model/finding.js';
import type { InstanceConfig } from '../model/instance-config.js';
import type { Permits } from '../model/permits.js';
import type { Role } from '../model/role.js';
import type { LogLevel } from '../process/log.js';
import { LOG_LEVELS } from '../process/log.js';
import type { InstancePolicy } from '../replay/spillway-policy.js';
import { loadStoreSettings, type StoreSettings } from '../store/store-settings.js';
import {
  actionsOff,
  basePath,
  basePathOf,
  type FileConfig,
  fileSchema,
  policiesOf,
  publicUrl,
  readOnly,
  redact,
  replayQueuesOf,
  tokenEntry,
  trustedProxies,
} from './config-file.js';
import {
  agentSecretOf,
  type Environment,
  listIn,
  sectionOf,
  settingOf,
  tokensOf,
  truth,
  variableOf,
  variablesIn,
} from './environment.js';
import { type Given, instancesOf, type UnwatchedInstances, unwatchedOf } from './instances-of.js';
import { describeIssue } from './mask-secrets.js';
import {
  type AssertionAuthSettings,
  assertionAuthSchema,
  type HeaderAuthSettings,
  headerAuthSchema,
  type OpenidSettings,
  openidSchema,
} from './sign-in-config.js';

export type TokenEntry = Readonly<z.infer<typeof tokenEntry>>;

/**
 * config/ makes one value of flags, environment and file, or says which setting is wrong and what would be right. It asks
 * the rooms below for the schemas of their settings. config-file.ts is what the file may hold; begin here.
 *
 * The effective configuration: flags over environment over file. Holds secrets; print it by `maskedConfig` only.
 */
export interface Config {
  readonly instances: readonly InstanceConfig[];
  /** Of the file, whose place a URL given otherwise has taken; null: none are left out. */
  readonly unwatched: UnwatchedInstances | null;
  readonly host: string;
  readonly port: number;
  /** Begins with a slash and ends without one; empty: the console is at the root. */
  readonly basePath: string;
  /** Where people reach it, without a slash at its end; its path ends with `basePath`. null: nobody said. */
  readonly publicUrl: string | null;
  /** Networks and addresses of proxies whose forwarding headers are believed. */
  readonly trustedProxies: readonly string[];
  readonly dataDirectory: string;
  /** Shared by several consoles; null: a file in the data directory. */
  readonly store: StoreSettings | null;
  readonly logLevel: LogLevel;
  /** Host names by which the console may be called besides the one it binds to. */
  readonly allowedHosts: readonly string[];
  /** The least role that sees job data, options, logs and stack traces. */
  readonly jobDataRole: Role;
  readonly tokens: readonly TokenEntry[];
  /** What of the actions is not done here. */
  readonly permits: Permits;
  /** Sign-in by a provider; null: there is none. */
  readonly openid: OpenidSettings | null;
  /** What a trusted proxy says in headers of whom it has signed in; null: nobody is believed. */
  readonly headerAuth: HeaderAuthSettings | null;
  readonly assertionAuth: AssertionAuthSettings | null;
  /** Named groups of queues as globs, for acting on many at once. */
  readonly groups: Readonly<Record<string, readonly string[]>>;
  /** By instance, as globs: queues of a replay service of the users' own. */
  readonly replayQueues: Readonly<Record<string, readonly string[]>>;
  readonly thresholds: Thresholds;
  /** Who is notified. */
  readonly alerts: AlertSettings;
  /** Rules as code, and how messages are grouped. */
  readonly alertRules: AlertsConfig;
  /** What parked jobs may take of the disk. */
  readonly parking: { readonly maxBytes: number };
  /** How long signals are kept, and what they may take of the disk. */
  readonly history: HistorySettings;
  /** What is parked by itself, by instance. */
  readonly spillway: readonly InstancePolicy[];
}

/** Everything that is wrong with the configuration, one line a field. */
export class ConfigError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** Flags as they were given, without `--`. */
export interface Flags {
  readonly redis?: string;
  readonly port?: string;
  readonly host?: string;
  readonly config?: string;
  readonly data?: string;
  readonly 'log-level'?: string;
}

/**
 * Reads and checks the whole configuration.
 * @param settings what a file would hold, instead of one.
 * @throws ConfigError with every bad field: its name, its value (secrets masked) and what would be right.
 */
export function loadConfig(flags: Flags, environment: Environment, settings?: unknown): Config {
  const path = flags.config ?? environment.SPILLWAY_CONFIG;
  const file = settings === undefined ? readFile(path, environment) : parseSettings(settings, environment);
  const problems: string[] = [];
  const given = (flag: keyof Flags, variable: string) =>
    flags[flag] !== undefined
      ? { value: flags[flag], source: `--${flag}` }
      : environment[variable] !== undefined && environment[variable] !== ''
        ? { value: environment[variable], source: variable }
        : null;
  const url = given('redis', 'REDIS_URL');
  const port = parsePort(given('port', 'PORT'), problems) ?? file.port ?? 3000;
  const level = parseLevel(
    given('log-level', 'LOG_LEVEL') ?? (file.logLevel ? { value: file.logLevel, source: 'logLevel' } : null),
    problems,
  );
  const instances = instancesOf(
    url,
    file,
    agentSecretOf(environment.SPILLWAY_AGENT_SECRET, problems),
    problems,
  );
  const { SPILLWAY_TOKENS } = environment;
  const tokensGiven = SPILLWAY_TOKENS?.startsWith('[')
    ? settingOf('SPILLWAY_TOKENS', SPILLWAY_TOKENS, z.array(tokenEntry), problems, listIn)
    : tokensOf(SPILLWAY_TOKENS, problems);
  const tokens = [...file.tokens, ...(tokensGiven ?? [])];
  const host = given('host', 'HOST')?.value ?? file.host ?? '127.0.0.1';
  const section = <S extends z.ZodObject>(name: keyof FileConfig, schema: S) =>
    sectionOf(name, schema, file[name], environment, problems);
  const openid = section('openid', openidSchema);
  const headerAuth = section('headerAuth', headerAuthSchema);
  const assertionAuth = section('assertionAuth', assertionAuthSchema);
  const isAsked = tokens.length > 0 || openid || headerAuth || assertionAuth;
  // An application that the console is mounted in has a sign-in of its own.
  if (settings === undefined && !isLoopback(host) && !isAsked) {
    problems.push(
      `host: ${host} can be reached by others, and no tokens are configured: make one with \`spillway token --name you --role admin\`, or bind to 127.0.0.1`,
    );
  }
  if (file.thresholds.memoryWarnRatio > file.thresholds.memoryCriticalRatio) {
    problems.push(
      `thresholds.memoryWarnRatio: ${file.thresholds.memoryWarnRatio} must not be above memoryCriticalRatio (${file.thresholds.memoryCriticalRatio})`,
    );
  }
  const setting = <T>(name: string, schema: z.ZodType<T>, read?: (text: string) => unknown) =>
    settingOf(name, environment[name], schema, problems, read);
  const publicAt = setting('SPILLWAY_PUBLIC_URL', publicUrl) ?? file.publicUrl ?? null;
  if (openid !== null && publicAt === null)
    problems.push('publicUrl: is missing: the provider leads back to it after a sign-in');
  const base =
    setting('SPILLWAY_BASE_PATH', basePath) ??
    file.basePath ??
    (publicAt === null ? '' : basePathOf(publicAt));
  if (publicAt !== null && !basePathOf(publicAt).endsWith(base))
    problems.push(`publicUrl: ${publicAt} must end with the basePath, ${base}`);
  const proxies = setting('SPILLWAY_TRUSTED_PROXIES', trustedProxies, listIn) ?? file.trustedProxies;
  if ((headerAuth ?? assertionAuth) && proxies.length === 0)
    problems.push('trustedProxies: is missing: whom the proxy has signed in is believed from these alone');
  const hidden = setting('SPILLWAY_REDACT', redact, listIn) ?? file.redact;
  const permits = {
    isReadOnly: setting('SPILLWAY_READ_ONLY', readOnly, truth) ?? file.readOnly,
    off: setting('SPILLWAY_ACTIONS_OFF', actionsOff, listIn) ?? file.actions.off,
  };
  const store = loadStoreSettings(file.store, environment, problems);
  const alertRules = alertsConfigOf(file.alerts, path ?? null, problems);
  if (problems.length > 0) throw new ConfigError(problems);
  return {
    instances: instances.map((one) => ({ ...one, redact: hidden })),
    unwatched: unwatchedOf(url, file),
    host,
    port,
    basePath: base,
    publicUrl: publicAt,
    trustedProxies: proxies,
    permits,
    dataDirectory: given('data', 'SPILLWAY_DATA')?.value ?? file.data ?? '.spillway',
    store,
    logLevel: level,
    allowedHosts: file.allowedHosts,
    jobDataRole: file.jobData,
    tokens,
    openid,
    headerAuth,
    assertionAuth,
    groups: file.groups,
    replayQueues: replayQueuesOf(file, instances),
    thresholds: file.thresholds,
    alerts: file.alerts,
    alertRules,
    parking: file.parking,
    history: file.history,
    spillway: policiesOf(file),
  };
}

/** 127.0.0.0/8, ::1 and localhost: nobody else can reach it. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

function readFile(path: string | undefined, environment: Environment): FileConfig {
  if (path === undefined || path === '') return parseSettings({}, environment);
  let content: unknown;
  try {
    content = parseYaml(readFileSync(path, 'utf8')) ?? {};
  } catch (error) {
    const reason =
      error instanceof YAMLParseError
        ? `is not valid YAML: ${error.message.split('\n')[0]}`
        : "can't be read";
    throw new ConfigError([`config: ${path} ${reason}`]);
  }
  return parseSettings(content, environment);
}

function parseSettings(settings: unknown, environment: Environment): FileConfig {
  const given = variablesIn(environment);
  const isObject = typeof settings === 'object' && settings !== null;
  const content = withSecrets(isObject ? { ...settings, ...given } : settings, environment);
  const parsed = fileSchema.safeParse(content);
  if (parsed.success) return parsed.data;
  throw new ConfigError(
    parsed.error.issues.map((issue) => {
      const [key = ''] = issue.path.map(String);
      const text = describeIssue(issue, content);
      return key in given ? text.replace(key, variableOf(key)) : text;
    }),
  );
}

/** Secrets of `alerts` may be kept in the environment: `${NAME}`. @throws ConfigError for one that is not there. */
function withSecrets(content: unknown, environment: Environment): unknown {
  if (typeof content !== 'object' || content === null || !('alerts' in content)) return content;
  const { tree, missing } = fromEnvironment({ alerts: content.alerts }, environment);
  if (missing.length > 0)
    throw new ConfigError(missing.map(({ at, name }) => `${at}: ${name} is not set in the environment`));
  return { ...content, ...(tree as object) };
}

function parsePort(given: Given | null, problems: string[]): number | null {
  if (!given) return null;
  const port = Number(given.value);
  if (/^\d+$/.test(given.value) && port <= 65_535) return port;
  problems.push(`${given.source}: ${given.value} must be a port number from 0 to 65535 (0: any free one)`);
  return null;
}

function parseLevel(given: Given | null, problems: string[]): LogLevel {
  if (!given) return 'info';
  const level = LOG_LEVELS.find((known) => known === given.value);
  if (!level) problems.push(`${given.source}: ${given.value} must be one of ${LOG_LEVELS.join(', ')}`);
  return level ?? 'info';
}

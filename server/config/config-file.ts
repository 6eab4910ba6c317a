import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { alertsSchema } from '../alerts/channels/settings.js';
import { alertsSection } from '../alerts/rules-config.js';
import { DEFAULT_THRESHOLDS } from '../model/finding.js';
import { MAX_REDACT_PATHS, redactProblem } from '../model/redact.js';
import { grantsSchema, ROLES } from '../model/role.js';
import { parseTenantField } from '../model/tenant-text.js';
import type { InstancePolicy } from '../replay/spillway-policy.js';
import { storeSchema } from '../store/store-settings.js';
import { parseHost, parseRedisUrl } from './redis-url.js';

const redisUrl = z.string().transform((text, context) => {
  try {
    return parseRedisUrl(text);
  } catch (error) {
    context.addIssue({
      code: 'custom',
      message: error instanceof Error ? error.message : 'is not a Redis URL',
    });
    return z.NEVER;
  }
});

const host = (defaultPort: number) =>
  z.string().transform((text, context) => {
    try {
      return parseHost(text, defaultPort);
    } catch (error) {
      context.addIssue({
        code: 'custom',
        message: error instanceof Error ? error.message : 'is not host:port',
      });
      return z.NEVER;
    }
  });

const tenantField = z
  .string()
  .refine(
    (text) => parseTenantField(text) !== null,
    'must be a key of job data, or up to 4 keys joined by dots, such as customer.id; each of 1 to 64 characters',
  )
  .nullable()
  .optional();

const login = {
  username: z.string().optional(),
  password: z.string().optional(),
  tls: z.boolean().default(false),
};
const sentinel = z.strictObject({
  hosts: z.array(host(26379)).min(1, 'must list at least one sentinel as host:port'),
  master: z.string().min(1, 'must name the master'),
  db: z.int().min(0).default(0),
  sentinelUsername: z.string().optional(),
  sentinelPassword: z.string().optional(),
  ...login,
});
const cluster = z.strictObject({
  hosts: z.array(host(6379)).min(1, 'must list at least one node as host:port'),
  ...login,
});

/** Fields of jobs that are shown nowhere. */
export const readOnly = z.boolean('must be true or false');
export const actionsOff = z
  .array(z.string().min(1).max(100), 'must be a list of globs over names of actions, such as redis.*')
  .max(100, 'must list at most 100 globs');

export const redact = z
  .array(
    z.string('must be a path such as customer.email').superRefine((path, context) => {
      const message = redactProblem(path);
      if (message !== null) context.addIssue({ code: 'custom', message });
    }),
    'must be a list of paths such as customer.email or *.password',
  )
  .max(MAX_REDACT_PATHS, `must hold at most ${MAX_REDACT_PATHS} paths`);

/** Queues that a replay service of the users' own feeds its work through: one action stops them with the replays. */
const replayQueues = z.array(
  z
    .string('must be a glob over queue ids and names, such as retry-*')
    .min(1, 'must be a glob over queue ids and names, such as retry-*')
    .max(500, 'must be at most 500 characters'),
  'must be a list of globs over queue ids and names',
);

/** What is parked by itself when memory runs out, and brought back when there is room. Off unless asked for. */
const spillway = z
  .strictObject({
    mode: z.enum(['off', 'dry-run', 'on'], 'must be off, dry-run or on').default('off'),
    highRatio: z.number().gt(0, 'must be above 0').max(1, 'must be at most 1').default(0.85),
    lowRatio: z.number().gt(0, 'must be above 0').max(1, 'must be at most 1').default(0.7),
    /** Of what is brought back, for each queue. */
    restorePerSecond: z.number().positive('must be above 0').default(100),
    rules: z
      .array(
        z.strictObject({
          queue: z.string().min(1).default('*'),
          jobType: z.string().min(1).default('*'),
          priority: z.int('must be a whole number: the higher, the longer it stays'),
        }),
      )
      .min(1, 'must list at least one rule'),
  })
  .refine(({ lowRatio, highRatio }) => lowRatio < highRatio, {
    message: 'must have lowRatio below highRatio',
  });

const instance = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,64}$/, 'must be 1 to 64 characters, digits, dots, dashes or underscores'),
    url: redisUrl.optional(),
    sentinel: sentinel.optional(),
    cluster: cluster.optional(),
    queues: z.array(z.string().min(1)).default([]),
    pollIntervalMs: z.int().min(250, 'must be at least 250 ms').max(60_000).default(1000),
    cpuBudgetRatio: z.number().gt(0, 'must be above 0').max(0.5, 'must be at most 0.5').default(0.01),
    /** Shared with the agents of this Redis: orders to them are signed with it. */
    agentSecret: z
      .string()
      .min(16, 'must have at least 16 characters: make one with `openssl rand -hex 32`')
      .optional(),
    /** null: none, whatever holds for the others. */
    tenantField,
    /** Instead of what holds for the others; empty: none. */
    replayQueues: replayQueues.optional(),
    spillway: spillway.optional(),
  })
  .refine((value) => [value.url, value.sentinel, value.cluster].filter(Boolean).length === 1, {
    message: 'must have exactly one of url, sentinel and cluster',
  });

/** One person or program that may come in. The token itself is nowhere: only its SHA-256. */
export const tokenEntry = z.strictObject({
  name: z.string().min(1, 'must name who holds the token'),
  role: z.enum(ROLES, `must be one of ${ROLES.join(', ')}`),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits: make one with `spillway token`'),
  grants: grantsSchema.optional(),
});

/** How long signals are kept in each fineness, and what all of them may take of the disk. */
const history = z
  .strictObject({
    /** Every tick. */
    tickHours: z.number().min(1, 'must be at least 1').max(24, 'must be at most 24').default(1),
    /** Steps of 10 s. */
    tenSecondHours: z.number().min(6, 'must be at least 6').max(744, 'must be at most 744').default(24),
    /** Steps of a minute. */
    minuteDays: z.number().min(1, 'must be at least 1').max(400, 'must be at most 400').default(30),
    maxBytes: z
      .int('must be a whole number of bytes')
      .min(8 * 1024 * 1024, 'must be at least 8388608, 8 megabytes')
      .default(500 * 1024 ** 2),
  })
  .prefault({});

const ratio = z.number().gt(0, 'must be above 0').max(1, 'must be at most 1');
const thresholds = z.strictObject({
  memoryWarnRatio: ratio.default(DEFAULT_THRESHOLDS.memoryWarnRatio),
  memoryCriticalRatio: ratio.default(DEFAULT_THRESHOLDS.memoryCriticalRatio),
  fillHorizonSeconds: z.number().positive().default(DEFAULT_THRESHOLDS.fillHorizonSeconds),
  stuckSeconds: z.number().positive().default(DEFAULT_THRESHOLDS.stuckSeconds),
  backlogMinJobs: z.int().min(1).default(DEFAULT_THRESHOLDS.backlogMinJobs),
  retentionMinBytes: z.int().min(0).default(DEFAULT_THRESHOLDS.retentionMinBytes),
});

/** Where people reach the console, with its path; links in messages begin with it. */
export const publicUrl = z
  .url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' })
  .transform((text) => text.replace(/\/+$/, ''));

/** Path of an URL without the slash at its end. */
export function basePathOf(url: string): string {
  return new URL(url).pathname.replace(/\/+$/, '');
}

/** Proxies whose word is taken for whom they serve. */
export const trustedProxies = z
  .array(
    z
      .string()
      .refine(
        (text) => (text.includes('/') ? ipaddr.isValidCIDR(text) : isIP(text) !== 0),
        'must be a network (10.0.0.0/8) or an address',
      ),
  )
  .max(100, 'must list at most 100 networks');

/** What a YAML file may say. Every key is optional; unknown keys are errors, as a typing mistake must not be silent. */
/** Below which path of a host the console is: `/ops/queues`, or empty. */
export const basePath = z
  .string()
  .transform((text) => text.replace(/\/+$/, ''))
  .refine(
    (text) => text === '' || /^(\/[A-Za-z0-9._~-]{1,100}){1,10}$/.test(text),
    'must be a path such as /ops/queues: letters, digits and . _ ~ - between slashes',
  );

export const fileSchema = z.strictObject({
  instances: z
    .array(instance)
    .min(1, 'must list at least one Redis')
    .refine(
      (list) => new Set(list.map((entry) => entry.name)).size === list.length,
      'must have a name of its own for each Redis',
    )
    .optional(),
  host: z.string().optional(),
  port: z.int().min(0).max(65_535).optional(),
  basePath: basePath.optional(),
  publicUrl: publicUrl.optional(),
  trustedProxies: trustedProxies.default([]),
  data: z.string().optional(),
  /** Instead of a file in the data directory. */
  store: storeSchema.optional(),
  logLevel: z.string().optional(),
  allowedHosts: z.array(z.string()).default([]),
  jobData: z.enum(ROLES, `must be one of ${ROLES.join(', ')}`).default('operator'),
  redact: redact.default([]),
  /** It shows, and changes nothing. */
  readOnly: readOnly.default(false),
  /** What nobody may do here: globs over names of actions. */
  actions: z.strictObject({ off: actionsOff.default([]) }).prefault({}),
  /** For every Redis that has none of its own. */
  tenantField,
  /** For every Redis that has none of its own. */
  replayQueues: replayQueues.default([]),
  tokens: z.array(tokenEntry).default([]),
  /** Checked with what the environment says of it: sign-in-config.ts. */
  openid: z.record(z.string(), z.unknown()).optional(),
  headerAuth: z.record(z.string(), z.unknown()).optional(),
  assertionAuth: z.record(z.string(), z.unknown()).optional(),
  groups: z.record(z.string(), z.array(z.string().min(1))).default({}),
  thresholds: thresholds.prefault({}),
  /** What is judged, who is notified, and who notices that the console itself is gone. */
  alerts: alertsSchema.extend(alertsSection).prefault({}),
  parking: z
    .strictObject({
      maxBytes: z
        .int('must be a whole number of bytes')
        .min(1024 * 1024, 'must be at least 1048576, a megabyte')
        .default(2 * 1024 ** 3),
    })
    .prefault({}),
  history,
});
export type FileConfig = z.infer<typeof fileSchema>;

/** The globs of replay queues by instance: its own where the file gives some, else those for all. */
export function replayQueuesOf(
  file: FileConfig,
  instances: readonly { readonly name: string }[],
): Readonly<Record<string, readonly string[]>> {
  const own = new Map(file.instances?.map((entry) => [entry.name, entry.replayQueues]));
  return Object.fromEntries(instances.map(({ name }) => [name, own.get(name) ?? file.replayQueues]));
}

/** The policies of those instances that have one. */
export function policiesOf(file: FileConfig): readonly InstancePolicy[] {
  return (file.instances ?? []).flatMap(({ name, spillway }) =>
    spillway === undefined ? [] : [{ instance: name, ...spillway }],
  );
}

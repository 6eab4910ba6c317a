import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { isOutgoingEntry } from './outgoing-policy.js';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/**
 * Who may have signed a receiver's certificate, for receivers inside a company: PEM text, or the absolute path of a file
 * with it, read once. Trusted for this receiver alone, instead of the public authorities. A certificate that is
 * self-signed is its own authority.
 */
const trustedCa = z
  .string()
  .transform((text, context) => {
    const fail = (message: string) => {
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    };
    const pem = text.includes('-----BEGIN') ? text : readPem(text);
    if (pem === null) return fail('must be PEM text, or the absolute path of a file that can be read');
    const found = pem.match(CERTIFICATE) ?? [];
    if (found.length === 0 || !found.every(isCertificate)) return fail('must hold certificates in PEM');
    return found.join('\n');
  })
  .nullable()
  .default(null);

function readPem(path: string): string | null {
  if (!isAbsolute(path)) return null;
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}

const SEVERITIES = ['info', 'warning', 'critical'] as const;

const httpUrl = z
  .string()
  // biome-ignore lint/suspicious/noTemplateCurlyInString: of the config file, not of a template
  .refine(isHttpUrl, 'must be an http:// or https:// URL, or ${NAME} of the environment');
const oneLine = z
  .string()
  .min(1, 'must not be empty')
  .max(500)
  .regex(/^\P{Cc}+$/u, 'must be one line');
const mailbox = oneLine.regex(/@/, 'must be an e-mail address');

const any = {
  name: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/, 'must be 1 to 64 characters, digits, dots, dashes or underscores'),
  /** What is less severe is not sent here. */
  minSeverity: z.enum(SEVERITIES, `must be one of ${SEVERITIES.join(', ')}`).default('warning'),
  /** Globs over names of instances. */
  instances: z.array(z.string().min(1)).min(1, 'must list at least one glob').readonly().default(['*']),
  ca: trustedCa,
};

const channel = z.discriminatedUnion(
  'type',
  [
    z.strictObject({
      ...any,
      type: z.literal('webhook'),
      url: httpUrl,
      /** null: bodies are not signed. */
      secret: z
        .string()
        .min(16, 'must have at least 16 characters: make one with `openssl rand -hex 32`')
        .nullable()
        .default(null),
    }),
    z.strictObject({ ...any, type: z.literal('slack'), url: httpUrl }),
    z.strictObject({
      ...any,
      type: z.literal('pagerduty'),
      routingKey: oneLine,
      url: httpUrl.default('https://events.pagerduty.com/v2/enqueue'),
    }),
    z.strictObject({
      ...any,
      type: z.literal('alertmanager'),
      /** Of the server; `/api/v2/alerts` is put behind it. */
      url: httpUrl,
      username: oneLine.nullable().default(null),
      password: z.string().nullable().default(null),
      /** What fires is sent again this often, as Alertmanager takes silence for an end. */
      refreshSeconds: z.int().min(5, 'must be at least 5').max(3600, 'must be at most 3600').default(60),
    }),
    z
      .strictObject({
        ...any,
        type: z.literal('email'),
        host: oneLine,
        port: z.int().min(1).max(65_535).default(587),
        /** `implicit`: TLS from the first byte. `starttls`: refused where the server has none. `none`: in the clear. */
        tls: z
          .enum(['implicit', 'starttls', 'none'], 'must be implicit, starttls or none')
          .default('starttls'),
        username: oneLine.nullable().default(null),
        password: z.string().nullable().default(null),
        from: mailbox,
        to: z.array(mailbox).min(1, 'must list at least one address').max(50).readonly(),
      })
      .refine(({ tls, username, host }) => tls !== 'none' || username === null || isThisMachine(host), {
        message: 'must not have tls: none with a username: the password would travel in the clear',
      }),
  ],
  'must have a type: webhook, slack, pagerduty, alertmanager or email',
);

const network = z
  .string()
  .refine(isOutgoingEntry, 'must be a network (10.0.0.0/8), an address, or a glob of host names');

/** `alerts` of the config file: who is notified, and how. */
export const alertsSchema = z.strictObject({
  outgoing: z
    .strictObject({ allow: z.array(network).default([]), deny: z.array(network).default([]) })
    .prefault({}),
  channels: z
    .array(channel)
    .max(50, 'must list at most 50 channels')
    .refine(
      (list) => new Set(list.map(({ name }) => name)).size === list.length,
      'must have a name of its own for each channel',
    )
    .default([]),
  deadManSwitch: z
    .strictObject({
      url: httpUrl,
      /** Called when all is not well; null: the beat only stops. */
      failUrl: httpUrl.nullable().default(null),
      everySeconds: z.int().min(5, 'must be at least 5').max(86_400).default(60),
      ca: trustedCa,
    })
    .nullable()
    .default(null),
});

export type AlertSettings = Readonly<z.infer<typeof alertsSchema>>;
/** One configured channel. Holds secrets: show it by `destinationOf` only. */
export type ChannelSettings = AlertSettings['channels'][number];
export type SettingsOf<Type extends ChannelSettings['type']> = Extract<ChannelSettings, { type: Type }>;
export type DeadManSettings = NonNullable<AlertSettings['deadManSwitch']>;

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

function isThisMachine(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** A whole value that is kept in the environment: `${SLACK_URL}`. */
const REFERENCE = /^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$/;

/**
 * Puts variables of the environment in the place of `${NAME}` in every text of a tree, before it is checked. Only whole
 * values, so that a `$` in a password needs no escape.
 * @returns the tree, and the names of variables that are not set, with where they were asked for.
 */
export function fromEnvironment(
  tree: unknown,
  environment: Readonly<Record<string, string | undefined>>,
): { readonly tree: unknown; readonly missing: readonly { readonly at: string; readonly name: string }[] } {
  const missing: { at: string; name: string }[] = [];
  const fill = (value: unknown, at: string): unknown => {
    if (typeof value === 'string') {
      const name = REFERENCE.exec(value)?.[1];
      if (name === undefined) return value;
      const found = environment[name];
      if (found === undefined || found === '') missing.push({ at, name });
      return found ?? '';
    }
    const under = (key: string | number) => (at === '' ? String(key) : `${at}.${key}`);
    if (Array.isArray(value)) return value.map((item, i) => fill(item, under(i)));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item, under(key))]));
  };
  return { tree: fill(tree, ''), missing };
}

/** Where a channel leads, for people: never what lets its holder in. */
export function destinationOf(channel: ChannelSettings): string {
  if (channel.type === 'email') return `${channel.to.join(', ')} by ${channel.host}:${channel.port}`;
  return new URL(channel.url).origin;
}

/** For `--check`: the settings without any secret. */
export function maskedAlerts(settings: AlertSettings): unknown {
  const { outgoing, channels, deadManSwitch } = settings;
  return {
    outgoing,
    channels: channels.map((channel) => ({
      name: channel.name,
      type: channel.type,
      destination: destinationOf(channel),
      minSeverity: channel.minSeverity,
      instances: channel.instances,
      ...(channel.ca ? { ca: 'its own' } : {}),
      ...(channel.type === 'webhook' ? { secret: channel.secret === null ? null : '****' } : {}),
    })),
    deadManSwitch:
      deadManSwitch === null
        ? null
        : {
            destination: new URL(deadManSwitch.url).origin,
            everySeconds: deadManSwitch.everySeconds,
            tellsFailures: deadManSwitch.failUrl !== null,
            ...(deadManSwitch.ca ? { ca: 'its own' } : {}),
          },
  };
}

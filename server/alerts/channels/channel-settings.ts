import type { Severity } from '../../model/finding.js';
import type { OutgoingRules } from './outgoing-policy.js';

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

/** What every channel has. */
interface AnyChannel {
  readonly name: string;
  /** What is less severe is not sent here. */
  readonly minSeverity: Severity;
  /** Globs over names of instances. */
  readonly instances: readonly string[];
  /** Certificates (PEM) that are trusted instead of the public authorities; null: these. */
  readonly ca?: string | null;
}

export interface WebhookSettings extends AnyChannel {
  readonly type: 'webhook';
  readonly url: string;
  /** null: bodies are not signed. */
  readonly secret: string | null;
}
export interface SlackSettings extends AnyChannel {
  readonly type: 'slack';
  /** An incoming webhook; whoever knows it can write there. */
  readonly url: string;
}
export interface PagerDutySettings extends AnyChannel {
  readonly type: 'pagerduty';
  readonly url: string;
  readonly routingKey: string;
}
export interface AlertmanagerSettings extends AnyChannel {
  readonly type: 'alertmanager';
  /** Of the server; `/api/v2/alerts` is put behind it. */
  readonly url: string;
  readonly username: string | null;
  readonly password: string | null;
  /** What fires is told again this often, as Alertmanager takes silence for an end. */
  readonly refreshSeconds: number;
}
export interface EmailSettings extends AnyChannel {
  readonly type: 'email';
  readonly host: string;
  readonly port: number;
  /** `implicit`: TLS from the first byte. `starttls`: refused where the server has none. `none`: in the clear. */
  readonly tls: 'implicit' | 'starttls' | 'none';
  readonly username: string | null;
  readonly password: string | null;
  readonly from: string;
  readonly to: readonly string[];
}

/** One configured channel. Holds secrets: show it by `describeChannel` only. */
export type ChannelSettings =
  | WebhookSettings
  | SlackSettings
  | PagerDutySettings
  | AlertmanagerSettings
  | EmailSettings;

export interface DeadManSettings {
  readonly url: string;
  /** Told when all is not well; null: the beat only stops. */
  readonly failUrl: string | null;
  readonly everySeconds: number;
  /** As of a channel. */
  readonly ca?: string | null;
}

export interface AlertSettings {
  /** Where people reach the console, without a slash at the end; null: links are left out. */
  readonly publicUrl: string | null;
  readonly outgoing: OutgoingRules;
  readonly channels: readonly ChannelSettings[];
  readonly deadManSwitch: DeadManSettings | null;
}

/** Where a channel leads, for people: never what lets its holder in. */
export function destinationOf(channel: ChannelSettings): string {
  if (channel.type === 'email') return `${channel.to.join(', ')} by ${channel.host}:${channel.port}`;
  return new URL(channel.url).origin;
}

/** For `--check`: the settings without any secret. */
export function maskedAlerts(settings: AlertSettings): unknown {
  const { publicUrl, outgoing, channels, deadManSwitch } = settings;
  return {
    publicUrl,
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

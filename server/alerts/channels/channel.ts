import { createHash } from 'node:crypto';
import type { AlertNotice, Notification } from '../notification.js';
import type { OutgoingRules, Resolve } from './outgoing-policy.js';
import type { ChannelSettings } from './settings.js';

/** 32 hex digits for any text: where a receiver bounds the length or the characters of a key. */
export function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

/** Alerts that a message lists one by one; the rest is a number. */
const MAX_ALERTS = 10;

/** A notification in words, before it takes a channel's form. Every text is one line. */
export interface Message {
  /** `CRITICAL: Redis is full (shop)` or `Resolved: …`. */
  readonly subject: string;
  readonly headline: string;
  /** Of the worst alert; empty: a message of before, which had no such lines. */
  readonly cause: string;
  readonly effect: string;
  /** What to do; empty once it is resolved. */
  readonly action: string;
  readonly state: 'CRITICAL' | 'WARNING' | 'INFO' | 'RESOLVED';
  readonly instance: string;
  /** UTC. */
  readonly since: string;
  readonly alerts: readonly AlertLine[];
  /** Alerts beyond those that are listed; 0 mostly. */
  readonly moreAlerts: number;
  readonly firstRemedy: string | null;
  /** Opens the console at the finding; null: the console does not know where people reach it. */
  readonly link: string | null;
}

export interface AlertLine {
  readonly headline: string;
  readonly evidence: string | null;
  readonly since: string;
  readonly isResolved: boolean;
  readonly runbookUrl: string | null;
}

/**
 * What is wrong, since when, the evidence, the first remedy, and where to look.
 * @param publicUrl without a slash at its end; null: none is configured.
 */
export function messageFrom(notification: Notification, publicUrl: string | null): Message {
  const { headline, instance, status, severity } = notification;
  const [worst] = notification.alerts;
  const state = status === 'resolved' ? 'RESOLVED' : upper(severity);
  const alerts = notification.alerts.slice(0, MAX_ALERTS).map(lineOf);
  return {
    subject: oneLine(`${state === 'RESOLVED' ? 'Resolved' : state}: ${headline} (${instance})`),
    headline: oneLine(headline),
    cause: oneLine(worst?.cause ?? ''),
    effect: oneLine(worst?.effect ?? ''),
    action: state === 'RESOLVED' ? '' : oneLine(worst?.action ?? ''),
    state,
    instance: oneLine(instance),
    since: utc(notification.sinceMs),
    alerts,
    moreAlerts: notification.alerts.length - alerts.length,
    firstRemedy:
      status === 'resolved' || notification.firstRemedy === null ? null : oneLine(notification.firstRemedy),
    link: linkOf(notification, publicUrl),
  };
}

/** null without a public URL. A path is put behind it whatever it holds, so that it can't name another host. */
export function linkOf({ path }: Pick<Notification, 'path'>, publicUrl: string | null): string | null {
  if (publicUrl === null) return null;
  return new URL(`${publicUrl.replace(/\/+$/, '')}/${oneLine(path).replace(/^\/+/, '')}`).href;
}

/** ISO 8601, as programs take it. */
export function isoUtc(atMs: number): string {
  return new Date(atMs).toISOString();
}

/** `2026-01-02 03:04:05 UTC` */
function utc(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** The message as plain text: what every channel falls back to. */
export function plainText(message: Message): string {
  return [
    `${message.state}: ${message.headline}`,
    ...linesOf(message).map(([word, text]) => `${word}: ${text}`),
    `Redis: ${message.instance}`,
    `Since: ${message.since}`,
    '',
    ...message.alerts.map(alertText),
    ...(message.moreAlerts > 0 ? [`- and ${message.moreAlerts} more`] : []),
    ...(message.firstRemedy === null ? [] : ['', `First remedy: ${message.firstRemedy}`]),
    ...(message.link === null ? [] : ['', message.link]),
  ].join('\n');
}

/** Cause, effect, what to do, as far as they are said. */
export function linesOf({
  cause,
  effect,
  action,
}: Message): readonly (readonly [word: string, text: string])[] {
  const lines = [
    ['Cause', cause],
    ['Effect', effect],
    ['Do', action],
  ] as const;
  return lines.filter(([, text]) => text !== '');
}

function alertText({ headline, evidence, since, isResolved, runbookUrl }: AlertLine): string {
  const facts = [
    ...(evidence === null ? [] : [`evidence: ${evidence}`]),
    `since ${since}`,
    ...(runbookUrl === null ? [] : [`runbook: ${runbookUrl}`]),
  ];
  return `- ${isResolved ? 'resolved: ' : ''}${headline} (${facts.join('; ')})`;
}

function lineOf(alert: AlertNotice): AlertLine {
  return {
    headline: oneLine(alert.headline),
    evidence: alert.evidence === null ? null : oneLine(alert.evidence),
    since: utc(alert.startsAtMs),
    isResolved: alert.status === 'resolved',
    runbookUrl: alert.runbookUrl === null ? null : oneLine(alert.runbookUrl),
  };
}

function upper(severity: Notification['severity']): 'CRITICAL' | 'WARNING' | 'INFO' {
  return severity === 'critical' ? 'CRITICAL' : severity === 'warning' ? 'WARNING' : 'INFO';
}

/** Names of queues hold any character; none of them may begin a line or a header of its own, or turn text around. */
export function oneLine(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]+/gu, ' ')
    .trim();
}

/** What came of one try to hand a message over. */
export type Delivery =
  | { readonly ok: true }
  | {
      readonly ok: false;
      /**
       * `passing`: tried again until it is too old. `refused`: the receiver has understood and does not want it, or the
       * settings are wrong; tried a few times more, as a deploy over there may be the reason.
       */
      readonly kind: 'passing' | 'refused';
      /** For a person; holds no secret. */
      readonly problem: string;
      /** The receiver asked to be left alone for this long; null: it did not say. */
      readonly retryAfterMs: number | null;
    };

export function passing(problem: string, retryAfterMs: number | null = null): Delivery {
  return { ok: false, kind: 'passing', problem, retryAfterMs };
}

export function refusedDelivery(problem: string): Delivery {
  return { ok: false, kind: 'refused', problem, retryAfterMs: null };
}

/** What sending takes besides the notification. */
export interface SendDeps {
  readonly now: () => number;
  readonly rules: OutgoingRules;
  readonly publicUrl: string | null;
  readonly resolve?: Resolve;
  readonly connectWithinMs?: number;
  readonly answerWithinMs?: number;
}

/** A way to notify people. */
export interface Channel {
  readonly settings: ChannelSettings;
  /** Sends one notification once. Never throws; a problem it names holds no secret. */
  send(notification: Notification): Promise<Delivery>;
  /** Does it take that somebody has acknowledged what it was sent? */
  readonly takesAcknowledgements: boolean;
  /** What fires must be sent again after this, ms; null: once is enough. */
  readonly refreshEveryMs: number | null;
  /** What a test sends, in this order: a receiver that opens incidents has to close its own. */
  readonly testStatuses: readonly ('firing' | 'resolved')[];
}

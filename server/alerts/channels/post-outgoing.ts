import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import { secretScrubber } from '../../model/text.js';
import type { Notification } from '../notification.js';
import { type Channel, type Delivery, passing, refusedDelivery, type SendDeps } from './channel.js';
import type { HostAddress, OutgoingRules } from './outgoing-policy.js';
import { OutgoingDenied, type Resolve, resolveAllowed } from './outgoing-policy.js';
import type { ChannelSettings } from './settings.js';

/** What a receiver over HTTP takes, and what of its channel is not as usual. */
interface Receiver
  extends Partial<Pick<Channel, 'takesAcknowledgements' | 'refreshEveryMs' | 'testStatuses'>> {
  readonly url: string;
  /** Taken out of everything that is shown. */
  readonly secrets: readonly string[];
  /** JSON. */
  readonly body: (notification: Notification) => string;
  readonly headers?: (notification: Notification, body: string) => Readonly<Record<string, string>>;
}

/** A channel that hands each notification over by one POST of JSON. */
export function httpChannel(settings: ChannelSettings, deps: SendDeps, receiver: Receiver): Channel {
  const { url, secrets, body: bodyOf, headers } = receiver;
  const { takesAcknowledgements = false, refreshEveryMs = null, testStatuses = ['firing'] } = receiver;
  const scrub = secretScrubber(secrets);
  return {
    settings,
    takesAcknowledgements,
    refreshEveryMs,
    testStatuses,
    send(notification) {
      const body = bodyOf(notification);
      const all = { 'Content-Type': 'application/json', ...headers?.(notification, body) };
      return postOutgoing({ url, method: 'POST', headers: all, body }, { ...deps, scrub, ca: settings.ca });
    },
  };
}

/** Nobody is left alone for longer than this, whatever they ask for. */
const MAX_MS = 3_600_000;

/**
 * How long a Retry-After header (RFC 9110, 10.2.3: seconds or an HTTP date) asks to wait, ms, at most an hour; null where
 * there is none that can be read.
 */
export function retryAfterMs(header: string | undefined, nowMs: number): number | null {
  if (header === undefined) return null;
  const text = header.trim();
  if (/^\d{1,9}$/.test(text)) return Math.min(MAX_MS, Number(text) * 1000);
  // Date.parse would also take a bare year for a date.
  const atMs = /[a-z]{3}/i.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isFinite(atMs) ? Math.min(MAX_MS, Math.max(0, atMs - nowMs)) : null;
}

/** Resolving and connecting, TLS included. */
const CONNECT_WITHIN_MS = 5_000;
/** From the first byte out to the status line in, whatever drips meanwhile. */
const ANSWER_WITHIN_MS = 10_000;
/** The status decides; the body is read for its first words only. */
const BODY_WITHIN_MS = 1_000;
const MAX_BODY_BYTES = 4_096;
const MAX_SHOWN_CHARS = 160;

export interface OutgoingRequest {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface OutgoingDeps {
  readonly rules: OutgoingRules;
  readonly now: () => number;
  /** Takes secrets out of what is shown. */
  readonly scrub: (text: string) => string;
  /** Certificates (PEM) that are trusted instead of the public authorities; null: these. */
  readonly ca?: string | null | undefined;
  readonly resolve?: Resolve;
  readonly connectWithinMs?: number;
  readonly answerWithinMs?: number;
}

/**
 * One HTTP exchange with a receiver of messages. Never throws. Redirects are not followed: they would lead past the
 * address policy, and would turn a POST into a GET. A 2xx status is a delivery, whatever becomes of the body.
 */
export async function postOutgoing(request: OutgoingRequest, deps: OutgoingDeps): Promise<Delivery> {
  try {
    const url = new URL(request.url);
    const addresses = await withinTime(
      resolveAllowed(url.hostname, deps.rules, deps.resolve),
      deps.connectWithinMs ?? CONNECT_WITHIN_MS,
      'its name is not resolved in time',
    );
    return judge(await exchange(url, addresses, request, deps), deps);
  } catch (error) {
    if (error instanceof OutgoingDenied) return refusedDelivery(deps.scrub(error.message));
    return passing(deps.scrub(describeNetworkError(error)));
  }
}

interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly body: string;
}

function exchange(
  url: URL,
  addresses: readonly HostAddress[],
  { method, headers, body }: OutgoingRequest,
  deps: OutgoingDeps,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options: RequestOptions = {
      method,
      agent: false,
      headers: {
        'User-Agent': 'spillway',
        ...headers,
        ...(body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }),
      },
      lookup: answerWith(addresses),
      ...(deps.ca && url.protocol === 'https:' ? { ca: deps.ca } : {}),
    };
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const request = send(url, options);
    const giveUp = (words: string) => request.destroy(new Error(words));
    const connecting = setTimeout(
      () => giveUp('no connection in time'),
      deps.connectWithinMs ?? CONNECT_WITHIN_MS,
    );
    const answering = setTimeout(() => giveUp('no answer in time'), deps.answerWithinMs ?? ANSWER_WITHIN_MS);
    const connected = url.protocol === 'https:' ? 'secureConnect' : 'connect';
    request.on('socket', (socket) => socket.once(connected, () => clearTimeout(connecting)));
    const settle = () => {
      clearTimeout(connecting);
      clearTimeout(answering);
    };
    request.once('error', (error) => {
      settle();
      reject(error);
    });
    request.once('response', (response) => {
      settle();
      void firstWords(response).then((words) => {
        request.destroy();
        const retryAfter = response.headers['retry-after'];
        resolve({ status: response.statusCode ?? 0, retryAfter, body: words });
      });
    });
    request.end(body);
  });
}

/** Gives the addresses that were checked, so that nothing is resolved a second time. */
function answerWith(addresses: readonly HostAddress[]): LookupFunction {
  return (_host, options, callback) => {
    if (options.all) return callback(null, [...addresses]);
    const [first] = addresses;
    if (first) callback(null, first.address, first.family);
    else callback(new Error('no address'), '');
  };
}

/** The beginning of a body, within bounds of size and time; '' for one that breaks off. */
function firstWords(response: IncomingMessage): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const done = () => {
      clearTimeout(timer);
      response.destroy();
      resolve(text);
    };
    const timer = setTimeout(done, BODY_WITHIN_MS);
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => {
      text = (text + chunk).slice(0, MAX_BODY_BYTES);
      if (text.length >= MAX_BODY_BYTES) done();
    });
    response.once('end', done);
    response.once('close', done);
    response.once('error', done);
  });
}

function judge({ status, retryAfter, body }: Answer, deps: OutgoingDeps): Delivery {
  if (status >= 200 && status < 300) return { ok: true };
  const words = shownWords(body, deps);
  const said = `answered ${status}${words === '' ? '' : `: ${words}`}`;
  if (status >= 300 && status < 400)
    return refusedDelivery(
      `answered ${status}, a redirect, and redirects are not followed: give the final address`,
    );
  const waitMs = retryAfterMs(retryAfter, deps.now());
  if (status >= 500 || status === 408 || status === 425 || status === 429) return passing(said, waitMs);
  return refusedDelivery(said);
}

function shownWords(body: string, deps: OutgoingDeps): string {
  // Scrubbed before it is cut, as half a secret would not be found.
  return deps.scrub(body.replace(/[\p{Cc}\s]+/gu, ' ').trim()).slice(0, MAX_SHOWN_CHARS);
}

/** Waits no longer than this. @throws Error with `words` */
export async function withinTime<T>(promise: Promise<T>, limitMs: number, words: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(words)), limitMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

const GIVE_CA = 'give who signed it as `ca` of this receiver, or in NODE_EXTRA_CA_CERTS';
const SELF_SIGNED = `its certificate is self-signed: ${GIVE_CA}`;
const NOT_KNOWN = `its certificate is not signed by anyone known here: ${GIVE_CA}`;
const OTHER_NAME = 'its certificate is for another name';
const NO_TLS = 'it does not speak TLS on this port';

const NETWORK_ERRORS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refuses connections',
  ECONNRESET: 'closed the connection without an answer',
  EPIPE: 'closed the connection without an answer',
  ENOTFOUND: 'its host name does not resolve',
  EAI_AGAIN: 'its host name does not resolve now',
  EHOSTUNREACH: 'cannot be reached over the network',
  ENETUNREACH: 'cannot be reached over the network',
  ETIMEDOUT: 'no connection in time',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet: is a clock wrong?',
  DEPTH_ZERO_SELF_SIGNED_CERT: SELF_SIGNED,
  SELF_SIGNED_CERT_IN_CHAIN: NOT_KNOWN,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: NOT_KNOWN,
  UNABLE_TO_GET_ISSUER_CERT: NOT_KNOWN,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: NOT_KNOWN,
  ERR_TLS_CERT_ALTNAME_INVALID: OTHER_NAME,
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
};

/** The mail library puts a code of its own in the place of the one that says why: OpenSSL's words are left. */
const BY_WORDS: readonly (readonly [RegExp, string])[] = [
  [/^self-signed certificate in certificate chain/, NOT_KNOWN],
  [/^self-signed certificate/, SELF_SIGNED],
  [/^unable to (verify the first|get (local )?issuer) certificate/, NOT_KNOWN],
  [/^certificate has expired/, 'its certificate has expired'],
  [/altnames/, OTHER_NAME],
  [/wrong version number|packet length too long/, NO_TLS],
];

/** Why there was no answer, in words for a person. Messages that are not known are cut short. */
export function describeNetworkError(error: unknown): string {
  if (!(error instanceof Error)) return 'it failed for no given reason';
  const inner: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const code = inner instanceof Error && 'code' in inner ? String(inner.code) : '';
  return (
    NETWORK_ERRORS[code] ??
    BY_WORDS.find(([words]) => words.test(error.message))?.[1] ??
    error.message.replace(/[\p{Cc}\s]+/gu, ' ').slice(0, MAX_SHOWN_CHARS)
  );
}

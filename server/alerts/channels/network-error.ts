const SHOWN_LETTERS = 160;

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
    error.message.replace(/[\p{Cc}\s]+/gu, ' ').slice(0, SHOWN_LETTERS)
  );
}

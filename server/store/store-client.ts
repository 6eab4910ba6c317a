import { type Client, createClient } from '@libsql/client';
import { secretScrubber } from '../model/scrub-secrets.js';
import { BUSY_TIMEOUT_MS, patientClient } from './patient-client.js';
import type { StoreSettings } from './store-settings.js';

/** A server that does not answer must not stop the lease from noticing that its own time is over (lease.ts). */
const ANSWER_WITHIN_MS = 5_000;

/** A client of a file, or of a libSQL server. What it throws never holds the token, whatever the server repeats of it. */
export function storeClient({ url, authToken }: StoreSettings): Client {
  if (url === ':memory:') return createClient({ url });
  // For each connection of the pool: a console that shares the file may be writing.
  if (isLocal(url))
    return patientClient(createClient({ url, timeout: BUSY_TIMEOUT_MS }), async () => undefined);
  const scrub = secretScrubber(authToken === null ? [] : [authToken]);
  return createClient({
    url,
    ...(authToken === null ? {} : { authToken }),
    fetch: (request: Request) => fetchWithin(request, scrub),
  });
}

/** In a file or in memory, rather than at a server. */
export function isLocal(url: string): boolean {
  return url === ':memory:' || url.startsWith('file:');
}

async function fetchWithin(request: Request, scrub: (text: string) => string): Promise<Response> {
  const response = await fetch(request, {
    // Elsewhere the token would be shown to somebody it is not meant for.
    redirect: 'error',
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  }).catch((error: unknown) => {
    throw new Error(scrub(whyNoAnswer(error)));
  });
  if (response.ok) return response;
  const { status, statusText } = response;
  const headers = { 'content-type': response.headers.get('content-type') ?? 'text/plain' };
  return new Response(scrub(await response.text()), { status, statusText: scrub(statusText), headers });
}

function whyNoAnswer(error: unknown): string {
  if (!(error instanceof Error)) return 'the store does not answer';
  if (error.name === 'TimeoutError') return `the store does not answer within ${ANSWER_WITHIN_MS / 1000} s`;
  const { cause } = error;
  return `the store does not answer: ${cause instanceof Error ? cause.message : error.message}`;
}

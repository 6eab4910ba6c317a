import type { MiddlewareHandler } from 'hono';
import type { GateEnv } from './gate.js';

/**
 * The console below a path of another application, or of a proxy. Inside, every address begins at `/`; what comes in loses
 * the path (a host or a proxy may have taken it off already), and what goes out gets it: redirects, and each address in a
 * page or a live part. One place for all of them, so that no page has to think of it.
 */

/**
 * What of a page holds addresses: an attribute of these names whose value begins with one slash. Text can't look like it, as its quotes are
 * escaped. In a live part HTML is a string of JSON, where an attribute's quote has a backslash.
 */
const ADDRESS = /( (?:href|src|action|formaction|data-chart|data-href|hx-[a-z:-]+)=\\?")\/(?!\/)/g;
const PAGE_BEGINS = /^(\s*(?:<!DOCTYPE html>)?\s*<html)/i;

/** Gives answers their addresses under the base of whoever asks. */
export function underBase(): MiddlewareHandler<GateEnv> {
  return async (c, next) => {
    await next();
    const { base } = c.get('origin');
    if (base === '') return;
    const { headers, body, status } = c.res;
    const location = headers.get('location');
    if (location?.startsWith('/') && !location.startsWith('//'))
      c.res.headers.set('location', base + location);
    const type = headers.get('content-type') ?? '';
    if (!body || !/^text\/(html|event-stream)/.test(type)) return;
    const isPage = type.startsWith('text/html');
    // A page is looked at as a whole, a stream event by event: an address is never cut in two.
    const changed = body
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(inPieces(isPage ? null : '\n\n', (text) => addressesUnder(base, text)))
      .pipeThrough(new TextEncoderStream());
    c.res = new Response(changed, { status, headers: withoutLength(headers) });
  };
}

/** @returns the same HTML with its addresses under `base`, which scripts find at the root element. */
export function addressesUnder(base: string, html: string): string {
  return html.replace(ADDRESS, `$1${base}/`).replace(PAGE_BEGINS, `$1 data-base="${base}"`);
}

function inPieces(end: string | null, change: (text: string) => string): TransformStream<string, string> {
  let held = '';
  return new TransformStream({
    transform(chunk, controller) {
      held += chunk;
      const at = end === null ? -1 : held.lastIndexOf(end);
      if (end === null || at < 0) return;
      controller.enqueue(change(held.slice(0, at + end.length)));
      held = held.slice(at + end.length);
    },
    flush(controller) {
      if (held !== '') controller.enqueue(change(held));
    },
  });
}

function withoutLength(headers: Headers): Headers {
  const kept = new Headers(headers);
  kept.delete('content-length');
  return kept;
}

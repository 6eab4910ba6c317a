import type { IncomingMessage } from 'node:http';
import type { Context, MiddlewareHandler } from 'hono';
import { Problem } from './problem.js';

/** Of the one form that anybody may send: a token, and the page to go back to. */
const MAX_SIGN_IN_BYTES = 8 * 1024;
/** A page's form: the notes of an incident are the longest. */
const MAX_FORM_BYTES = 256 * 1024;
/** An action's arguments and at most some thousand queue names. */
const MAX_API_BYTES = 1024 * 1024;
/** Who takes longer than this to send a body holds a connection and nothing else. */
const MAX_SENDING_MS = 20_000;

const BODILESS = new Set(['GET', 'HEAD']);

/**
 * Ends the connection after an answer that was given before the whole body had come: it is neither read on nor waited
 * for. Stands before everything else.
 */
export function endUnread(): MiddlewareHandler {
  return async (c, next) => {
    await next();
    if (hasBody(c) && incomingOf(c)?.complete === false) c.header('Connection', 'close');
  };
}

/**
 * Reads the body, within bounds of size and time, so that whatever looks at it afterwards finds it in memory. Stands
 * before everything that reads one, and after what can refuse without one. An import is left to its reader, line by line.
 * @throws Problem 413, 408, or 400 for one that breaks off; 415 for a form that is none.
 */
export function readBody(sendingMs = MAX_SENDING_MS): MiddlewareHandler {
  return async (c, next) => {
    if (BODILESS.has(c.req.method) || !hasBody(c) || isImport(c.req.path)) return next();
    const maxBytes = maxBytesOf(c.req.path);
    if (Number(c.req.header('content-length') ?? 0) > maxBytes) throw tooLarge(maxBytes);
    if (!isApi(c.req.path)) requireForm(c.req.header('content-type') ?? '');
    const stream = c.req.raw.body;
    if (stream) c.req.raw = new Request(c.req.raw, { body: await readAtMost(stream, maxBytes, sendingMs) });
    await next();
  };
}

/** What comes back from an export is read line by line: see transfer.ts for its limits. */
export function isImport(path: string): boolean {
  return path === '/api/v1/parkings/import';
}

function isApi(path: string): boolean {
  return path.startsWith('/api/');
}

function maxBytesOf(path: string): number {
  if (isApi(path)) return MAX_API_BYTES;
  return path.startsWith('/sign-') ? MAX_SIGN_IN_BYTES : MAX_FORM_BYTES;
}

function tooLarge(maxBytes: number): Problem {
  return new Problem(413, 'too-large', `the body is larger than ${maxBytes} bytes`);
}

/** Our forms carry no files: so nothing takes a multipart body apart. */
function requireForm(type: string): void {
  if (/^application\/x-www-form-urlencoded\b/i.test(type)) return;
  throw new Problem(
    415,
    'unsupported-media-type',
    `send Content-Type: application/x-www-form-urlencoded${type ? ` and not ${type.slice(0, 80)}` : ''}`,
  );
}

async function readAtMost(
  body: ReadableStream<Uint8Array>,
  maxBytes: number,
  sendingMs: number,
): Promise<Uint8Array> {
  const reader = body.getReader();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Problem(408, 'too-slow', `the body had not come whole after ${sendingMs / 1000} s`)),
      sendingMs,
    );
  });
  try {
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), late]);
      if (done) return Buffer.concat(chunks);
      bytes += value.byteLength;
      if (bytes > maxBytes) throw tooLarge(maxBytes);
      chunks.push(value);
    }
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem(400, 'malformed-body', 'the body broke off before its end');
  } finally {
    clearTimeout(timer);
  }
}

function hasBody(c: Context): boolean {
  return c.req.header('transfer-encoding') !== undefined || (c.req.header('content-length') ?? '0') !== '0';
}

/** Absent where the app is called without a socket. */
function incomingOf(c: Context): IncomingMessage | undefined {
  return (c.env as { readonly incoming?: IncomingMessage } | undefined)?.incoming;
}

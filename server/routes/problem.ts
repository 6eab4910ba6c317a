import type { Context, ErrorHandler } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { RequestOrigin } from '../auth/request-origin.js';
import { ActionError } from '../model/action.js';
import { CanaryRefused } from '../model/job-view.js';
import { CountRefused } from '../model/memory.js';
import { storeTroubleOf, troubleInWords } from '../store/store-trouble.js';
import { JobsUnavailable } from '../watch/watch.js';

/** One bad field of a request. */
interface FieldProblem {
  readonly field: string;
  readonly value?: unknown;
  readonly problem: string;
}

/** A refusal with a status: becomes RFC 9457 problem+json. `detail` is for a person and holds no secret. */
export class Problem extends Error {
  readonly status: ContentfulStatusCode;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly fields: readonly FieldProblem[];
  constructor(
    status: ContentfulStatusCode,
    code: string,
    detail: string,
    headers: Readonly<Record<string, string>> = {},
    fields: readonly FieldProblem[] = [],
  ) {
    super(detail);
    this.name = 'Problem';
    this.status = status;
    this.code = code;
    this.headers = headers;
    this.fields = fields;
  }
}

/** What each code means, for the docs page; `type` of an answer is `/docs#problem-<code>`. */
export const PROBLEM_TITLES: Readonly<Record<string, string>> = {
  'malformed-json': 'The body is not valid JSON',
  'invalid-request': 'A field of the request is wrong',
  'sign-in-unavailable': 'Who is asking can not be checked now',
  unauthorized: 'Nobody is signed in',
  forbidden: 'The role does not allow this',
  'cross-site': 'The request came from another site',
  'host-not-allowed': 'The console is not known by this host name',
  'not-found': 'There is no such thing',
  'method-not-allowed': 'The path does not take this method',
  ambiguous: 'A name stands for several queues',
  conflict: 'The same request is under way',
  'outcome-unknown': 'The console ended in the midst of this request: look before you repeat it',
  'count-running': 'A queue of this Redis is being counted already',
  'read-only': 'The configuration gives it',
  'too-many': 'There are as many as there may be',
  'too-large': 'The body is too large',
  'too-slow': 'The body did not come in time',
  'malformed-body': 'The body can not be read',
  'unsupported-media-type': 'The body is not of the type that is taken here',
  'too-many-tries': 'Too many wrong tokens',
  unavailable: 'Redis can not be asked now',
  'disk-full': 'The disk of the data directory is full',
  'store-unavailable': 'The store of the console can not be written or read now',
  'not-possible': 'This Redis does not permit it',
  'shutting-down': 'The console is stopping',
  'internal-error': 'The console made a mistake',
};

const STATUS_OF_ACTION: Readonly<Record<ActionError['code'], readonly [ContentfulStatusCode, string]>> = {
  invalid: [422, 'invalid-request'],
  forbidden: [403, 'forbidden'],
  ambiguous: [409, 'ambiguous'],
  'not-found': [404, 'not-found'],
  unavailable: [409, 'not-possible'],
  'refused-by-workers': [409, 'Workers refuse'],
  'refused-by-redis': [409, 'not-possible'],
  unreachable: [503, 'unavailable'],
  'disk-full': [507, 'disk-full'],
  'too-large': [413, 'too-large'],
};

const STATUS_OF_COUNT: Readonly<Record<CountRefused['code'], readonly [ContentfulStatusCode, string]>> = {
  running: [409, 'count-running'],
  'not-permitted': [409, 'not-possible'],
  unavailable: [503, 'unavailable'],
};

/** Any error as a Problem; null for one that is the console's own mistake. */
export function problemOf(error: unknown): Problem | null {
  if (error instanceof Problem) return error;
  if (error instanceof ActionError) {
    const [status, code] = STATUS_OF_ACTION[error.code];
    return new Problem(status, code, error.message, {}, error.fields);
  }
  if (error instanceof CountRefused) {
    const [status, code] = STATUS_OF_COUNT[error.code];
    return new Problem(status, code, error.message);
  }
  const trouble = storeTroubleOf(error);
  if (trouble !== null)
    return new Problem(
      trouble === 'full' ? 507 : 503,
      trouble === 'full' ? 'disk-full' : 'store-unavailable',
      `${troubleInWords(trouble)}; nothing was recorded, and what needs a record was not begun`,
    );
  if (error instanceof CanaryRefused) return new Problem(409, 'not-possible', error.message);
  if (error instanceof JobsUnavailable) return new Problem(503, 'unavailable', error.message);
  if (error instanceof HTTPException)
    return new Problem(
      error.status as ContentfulStatusCode,
      codeOf(error.status),
      error.message || codeOf(error.status),
    );
  return null;
}

/** For people, by a page or a part of one. */
type ProblemPage = (c: Context, problem: Problem) => Response | Promise<Response>;

/**
 * Answers problem+json, and people by a page where there is one; what is not foreseen is shown as a fault of the console,
 * and answered without its words.
 */
export function problemHandler(
  noteFault: (part: string, error: unknown) => void,
  page: ProblemPage = problemResponse,
): ErrorHandler {
  return (error, c) => {
    const known = problemOf(error);
    const answer = isForPerson(c) ? page : problemResponse;
    if (known) return answer(c, known);
    noteFault(partOf(c), error);
    return answer(
      c,
      new Problem(
        500,
        'internal-error',
        'an unforeseen error of the console itself; its log and its findings tell of it',
      ),
    );
  };
}

/** Does a browser ask, for what it shows? The API answers programs, whatever asks. */
export function isForPerson({ req }: Context): boolean {
  if (req.path.startsWith('/api/')) return false;
  return (req.header('accept') ?? '').includes('text/html') || req.header('hx-request') !== undefined;
}

/** Names the part that answers there, whatever ids come after. */
function partOf({ req }: Context): string {
  const segments = req.path.split('/').slice(1, req.path.startsWith('/api/v1/') ? 4 : 2);
  return `${req.method} /${segments.join('/').slice(0, 60)}`;
}

export function problemResponse(c: Context, problem: Problem): Response {
  const requestId: unknown = c.get('requestId');
  const origin: RequestOrigin | undefined = c.get('origin');
  const body = {
    type: `${origin?.base ?? ''}/docs#problem-${problem.code}`,
    title: PROBLEM_TITLES[problem.code] ?? problem.code,
    status: problem.status,
    detail: problem.message,
    ...(problem.fields.length > 0 ? { errors: problem.fields } : {}),
    ...(typeof requestId === 'string' ? { instance: `urn:request:${requestId}` } : {}),
  };
  return c.body(JSON.stringify(body), problem.status, {
    ...problem.headers,
    'Content-Type': 'application/problem+json; charset=utf-8',
    'Cache-Control': 'no-store',
  });
}

function codeOf(status: number): string {
  const codes: Readonly<Record<number, string>> = {
    400: 'malformed-json',
    401: 'unauthorized',
    403: 'forbidden',
    404: 'not-found',
    405: 'method-not-allowed',
    409: 'conflict',
    413: 'too-large',
    415: 'unsupported-media-type',
    503: 'unavailable',
  };
  return codes[status] ?? 'invalid-request';
}

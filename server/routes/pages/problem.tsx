import type { Context } from 'hono';
import {
  DrawerProblem,
  PlainProblemPage,
  ProblemPage,
  type ProblemProps,
} from '../../../views/problem-page.js';
import { withoutBase } from '../../auth/request-origin.js';
import type { AppDeps } from '../app-deps.js';
import type { GateEnv } from '../gate.js';
import { PROBLEM_TITLES, type Problem } from '../problem.js';
import { assetUrl, PLAIN_STYLES } from './assets.js';
import { chromeOf } from './chrome.js';

/** They may be over when the same is asked for again. */
const PASSING = new Set(['too-slow', 'too-many', 'too-many-tries', 'unavailable', 'store-unavailable']);

interface Doors {
  /** Where people reach the console; null: nobody said. */
  readonly publicUrl: string | null;
  /** By itself, and not by the application that it is part of. */
  readonly hasSignIn: boolean;
}

/**
 * A problem as people read it: in the console's frame for those who are let in, by itself for all others, and as a part
 * where the drawer asked.
 */
export function problemPage(
  deps: AppDeps,
  doors: Doors,
): (c: Context<GateEnv>, problem: Problem) => Response | Promise<Response> {
  return (c, problem) => {
    const words: ProblemProps = {
      title: PROBLEM_TITLES[problem.code] ?? problem.code,
      detail: sentence(problem.message),
      way: wayOn(c, problem, doors),
    };
    const headers = { ...problem.headers, 'Cache-Control': 'no-store' };
    const answer = (page: Parameters<typeof c.html>[0]) => c.html(page, problem.status, headers);
    if (c.req.header('hx-request')) return answer(<DrawerProblem {...words} />);
    // Nobody is known yet; and what the console did wrong may be wrong with the frame too.
    if (!c.get('actor') || problem.status === 500)
      return answer(<PlainProblemPage styles={PLAIN_STYLES.map(assetUrl)} problem={words} />);
    const chrome = chromeOf(deps, {
      actor: c.get('actor'),
      nowMs: deps.now(),
      current: '',
      subject: words.title,
      liveUrl: null,
    });
    return answer(<ProblemPage chrome={chrome} problem={words} />);
  };
}

/** The one thing to do next; null: there is nothing here for whoever asks. */
function wayOn(
  c: Context<GateEnv>,
  { code, status }: Problem,
  { publicUrl, hasSignIn }: Doors,
): ProblemProps['way'] {
  const { pathname, search } = new URL(c.req.url);
  const here = c.req.method === 'GET' ? inConsole(c, pathname) + search : (cameFrom(c) ?? '/');
  if (code === 'host-not-allowed')
    return publicUrl === null ? null : { href: publicUrl, label: 'Open the console by its own name' };
  if (status === 401 && hasSignIn)
    return { href: `/sign-in?to=${encodeURIComponent(here)}`, label: 'Sign in' };
  if (c.req.method !== 'GET' && cameFrom(c) !== null) return { href: here, label: 'Back to the page' };
  if (status === 401 || (PASSING.has(code) && c.req.method === 'GET'))
    return { href: here, label: 'Try again' };
  return { href: '/', label: c.get('actor') ? 'Back to the overview' : 'Open the console' };
}

/** The page of this console that a form was sent from. */
function cameFrom(c: Context<GateEnv>): string | null {
  try {
    const { host, pathname, search } = new URL(c.req.header('referer') ?? '');
    return c.get('origin').hosts.includes(host) ? inConsole(c, pathname) + search : null;
  } catch {
    return null;
  }
}

/** Two slashes would lead to another host. */
function inConsole(c: Context<GateEnv>, pathname: string): string {
  return withoutBase(pathname, [c.get('origin').base]).replace(/^\/+/, '/');
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.?!]$/.test(text) ? '' : '.'}`;
}

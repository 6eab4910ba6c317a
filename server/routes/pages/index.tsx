import { Hono } from 'hono';
import { DrawerProblem, ProblemPage } from '../../../views/problem-page.js';
import type { AppDeps } from '../../app-deps.js';
import type { GateEnv } from '../../auth/gate.js';
import { PROBLEM_TITLES, Problem, problemOf } from '../problem.js';
import { chromeOf } from './chrome.js';
import { overviewPage } from './overview.js';
import { parseQueueQuery } from './queue-query.js';

/** Everything a person sees in the browser. All of it comes from Snapshots, so no viewer costs Redis anything. */
export function pageRoutes(deps: AppDeps): Hono<GateEnv> {
  const pages = new Hono<GateEnv>();
  pages.use(async (c, next) => {
    await next();
    c.header('Cache-Control', 'no-store');
  });
  pages.get('/', (c) => c.html(overviewPage(deps, c.get('actor'), parseQueueQuery(c.req.query()))));
  pages.get('*', (c, next) => {
    if (!(c.req.header('accept') ?? '').includes('text/html')) return next();
    throw new Problem(404, 'not-found', `there is nothing at ${c.req.path.slice(0, 200)}`);
  });
  pages.onError((error, c) => {
    const problem = problemOf(error);
    // Not foreseen: the console's own handler logs it and answers.
    if (!problem) throw error;
    const words = { title: PROBLEM_TITLES[problem.code] ?? problem.code, detail: sentence(problem.message) };
    if (c.req.header('hx-request')) return c.html(<DrawerProblem {...words} />, problem.status);
    const chrome = chromeOf(deps, {
      actor: c.get('actor'),
      nowMs: deps.now(),
      current: '',
      subject: words.title,
      liveUrl: null,
    });
    return c.html(<ProblemPage chrome={chrome} problem={words} />, problem.status);
  });
  return pages;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.?!]$/.test(text) ? '' : '.'}`;
}

import { Queue } from 'bullmq';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type OwnRedis, startRedis } from '../../drills/own-redis.js';
import { briefDuration } from '../../server/model/brief.js';
import { type AttachedProcess, startAttached } from '../support/attached-process.js';
import { type RunningConsole, startConsole } from '../support/console.js';
import { until } from '../support/until.js';

/** One queue whose two slots can't keep up: everything that speaks of it, read between two looks of the console at Redis. */
let redis: OwnRedis;
let queue: Queue;
let workers: AttachedProcess;
let console_: RunningConsole;

const QUEUE = '/api/v1/instances/default/queues/bull%3Amail';

beforeAll(async () => {
  redis = await startRedis();
  queue = new Queue('mail', { connection: { port: redis.port } });
  await queue.addBulk(Array.from({ length: 20_000 }, () => ({ name: 'send', data: {} })));
  workers = await startAttached({
    port: redis.port,
    workers: [{ queue: 'mail', concurrency: 2, jobMs: 100, attach: { name: 'mailer' } }],
  });
  console_ = await startConsole({ redisUrl: redis.url });
  const condition = { kind: 'finding', code: 'queue.overloaded' };
  const rule = { id: 'behind', name: 'Behind', severity: 'finding', condition, forSeconds: 0 };
  expect((await console_.ask('POST', '/api/v1/alert-rules', rule)).status).toBe(200);
});
afterAll(async () => {
  await console_?.stop();
  await workers?.stop();
  await queue?.close();
  await redis?.stop();
});

const read = async (path: string) => (await console_.ask('GET', path)).body;
const page = async (path: string) => (await console_.ask('GET', path)).text;
/** Text of the first element that begins with this, without its markup. */
function textAfter(html: string, start: RegExp, end: string): string {
  const from = html.search(start);
  if (from < 0) throw new Error(`the page has no ${start}`);
  return html
    .slice(from, html.indexOf(end, from))
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

/** "1 min 40 s" → 100. */
function secondsIn(text: string): number {
  const sizes: Readonly<Record<string, number>> = { s: 1, min: 60, h: 3600 };
  const parts = [...text.matchAll(/(\d+) (s|min|h)/g)];
  return parts.reduce((sum, [, number, unit = 's']) => sum + Number(number) * (sizes[unit] ?? 1), 0);
}

/** Everything at once, again until it is all of one tick. */
const everything = () =>
  until('all of it within one tick', async () => {
    const before = await read(QUEUE);
    const [overview, queuePage, queueWorkers, fleet, alertsPage, found, alerts, fleetSaid, list] =
      await Promise.all([
        page('/'),
        page('/i/default/q/bull%3Amail'),
        page('/i/default/q/bull%3Amail?tab=workers'),
        page('/workers'),
        page('/alerts'),
        read('/api/v1/findings'),
        read('/api/v1/alerts'),
        read('/api/v1/instances/default/workers'),
        read('/api/v1/instances/default/queues'),
      ]);
    const after = await read(QUEUE);
    // Between two jobs a slot is free for a moment, and the cause counts those that are busy.
    const isSaturated = /^All 2 slots/.test(found.findings[0]?.cause ?? '');
    const isOne = before.readAt === after.readAt && isSaturated;
    return (
      isOne && {
        queue: after,
        overview,
        queuePage,
        queueWorkers,
        fleet,
        alertsPage,
        found,
        alerts,
        fleetSaid,
        list,
      }
    );
  });

it('says the same word, and the same since, on every page, in the API and in alerts', async () => {
  await until('it is overloaded, and reported', async () => {
    const { alerts } = await read('/api/v1/alerts');
    const [worker] = (await read('/api/v1/instances/default/workers')).workers;
    return (
      worker?.verdict === 'overloaded' && alerts.some(({ state }: { state: string }) => state === 'firing')
    );
  });
  const seen = await everything();
  expect(seen.queue.verdict).toBe('overloaded');
  const [finding] = seen.found.findings;
  const { code, headline, severity } = finding;
  expect([code, headline, severity]).toEqual([
    'queue.overloaded',
    expect.stringMatching(/: 1 worker saturated$/),
    'warning',
  ]);
  const since = seen.queue.verdictSince;

  // API: queue, list, finding, alert, worker.
  expect(seen.list.queues[0]).toMatchObject({ verdict: 'overloaded', verdictSince: since });
  expect(finding.since).toBe(since);
  const told = seen.alerts.alerts.find(({ rule }: { rule: { id: string } }) => rule.id === 'behind');
  expect(told).toMatchObject({ state: 'firing', code, headline, severity, finding: { headline } });
  expect(told.since).toBe(since);
  expect(seen.fleetSaid.workers).toMatchObject([{ verdict: 'overloaded' }]);

  // Overview: title, headline, badge, card, row.
  const { overview } = seen;
  expect(textAfter(overview, /<title>/, '</title>')).toContain(`▲ ${headline} · `);
  expect(textAfter(overview, /<h1 id="verdict-text"/, '</h1>')).toMatch(
    new RegExp(`warnings?(, .*)? : ${headline}$`),
  );
  expect(textAfter(overview, /<span id="alert-count"/, '</span>')).toBe('1 firing');
  const card = overview.slice(overview.indexOf('<ol id="findings-list"'), overview.indexOf('</ol>'));
  expect(card).toContain(`class="finding severity-${severity}"`);
  expect(textAfter(card, /<h3/, '</h3>')).toBe(headline);
  expect(card).toContain(`datetime="${since}"`);
  const row = overview.slice(overview.indexOf('<tbody id="queue-rows"'));
  const cell = (label: string) => textAfter(row, new RegExp(`<td[^>]*data-label="${label}"`), '</td>');
  expect(cell('State')).toBe('saturated');
  expect(row).toContain(`class="state-word state-${severity}" title="${headline}"`);
  // What card and row both say, they say alike.
  const evidence = card.slice(card.indexOf('Details and evidence'));
  const chip = (label: string) =>
    textAfter(evidence, new RegExp(`<dt>${label}</dt>`), '</dd>').slice(label.length + 1);
  expect(chip('waiting')).toBe(`${cell('Waiting')} jobs`);
  expect(cell('Slots')).toContain(`${chip('active').replace(' jobs', '')} of 2 `);
  expect(chip('oldest waiting')).toBe(cell('Oldest'));
  expect(card).toContain(`drains in ${briefDuration(secondsIn(cell('Drains in')))}`);

  // The queue's page.
  const { queuePage } = seen;
  expect(textAfter(queuePage, /<p class="queue-verdict/, '</p>')).toBe('saturated');
  expect(textAfter(queuePage, /<h3 id="finding-/, '</h3>')).toBe(headline);
  expect(queuePage).toContain(`datetime="${since}"`);
  expect(textAfter(seen.queueWorkers, /<p class="fleet-summary/, '</p>')).toContain('1 saturated');

  // Workers and alerts.
  expect(textAfter(seen.fleet, /<td[^>]*data-label="Status"/, '</span>')).toBe('saturated');
  const alert = textAfter(seen.alertsPage, /<li id="alert-/, '</li>');
  expect(alert).toMatch(
    /^Warning mail: 1 worker saturated mail (and 1 other )?Behind .*(since|for) .* Cause All 2 slots of 1 worker are busy/,
  );
  expect(seen.alertsPage).toContain(`datetime="${since}"`);
});

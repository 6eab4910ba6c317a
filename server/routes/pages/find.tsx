import { Hono } from 'hono';
import { type FindProps, type Found, FoundList } from '../../../views/find.js';
import { FindPage } from '../../../views/find-page.js';
import {
  actionPath,
  instancePath,
  jobPath,
  jobTypePath,
  memoryPath,
  queuePath,
  workerPath,
} from '../../../views/links.js';
import { PLACES } from '../../../views/navigation.js';
import { ACTIONS } from '../../actions/index.js';
import { isNamedType } from '../../model/job-type.js';
import { includesRole, type Role } from '../../model/role.js';
import type { Snapshot } from '../../model/snapshot.js';
import { plainName } from '../../model/words.js';
import type { AppDeps } from '../app-deps.js';
import type { GateEnv } from '../gate.js';
import { chromeOf } from './chrome.js';

const MAX_TEXT = 200;
const MAX_FOUND = 20;
/** So that thousands of queues with one word in their names leave room for a page or an action of that name. */
const MAX_OF_A_KIND = 8;
/** Names that one search looks at, whatever a Redis holds. */
const MAX_LOOKED_AT = 50_000;

interface Candidate extends Found {
  readonly kind: string;
}

/** The search over everything: a page, and the list alone for the one that is open over a page. */
export function findRoutes(deps: AppDeps): Hono<GateEnv> {
  const page = (c: { get(name: 'actor'): GateEnv['Variables']['actor'] }, view: FindProps, note = '') => {
    const frame = { actor: c.get('actor'), nowMs: deps.now(), current: '', subject: 'Find', liveUrl: null };
    return <FindPage chrome={chromeOf(deps, frame)} view={view} note={note} />;
  };
  return new Hono<GateEnv>()
    .get('/find', (c) => {
      const view = find(
        deps.watch.snapshots(),
        c.get('actor').role,
        (c.req.query('q') ?? '').slice(0, MAX_TEXT).trim(),
      );
      return c.html(c.req.header('hx-request') ? <FoundList {...view} /> : page(c, view));
    })
    .get('/find/job', async (c) => {
      const jobId = (c.req.query('id') ?? '').slice(0, MAX_TEXT);
      const { places, unasked } = await deps.findJob(jobId);
      const [only] = places;
      if (only && places.length === 1) return c.redirect(jobPath(only.instance, only.queue, jobId));
      const found = places.map(({ instance, queue }) => ({
        href: jobPath(instance, queue, jobId),
        label: `Job ${plainName(jobId)}`,
        about: `in ${plainName(queue)} · ${instance}`,
      }));
      const asked = unasked === 0 ? '' : ` ${unasked} queues were not asked: open the queue and look there.`;
      const note = places.length === 0 ? `No queue has a job ${plainName(jobId)}.${asked}` : asked.trim();
      return c.html(page(c, { text: jobId, found, jobHref: null }, note));
    });
}

/** What is called like the text: names that begin with it first, then those with a word that does, then the rest. Pure. */
export function find(snapshots: readonly Snapshot[], role: Role, text: string): FindProps {
  const wanted = text.toLowerCase();
  const ranked: { readonly candidate: Candidate; readonly rank: number }[] = [];
  let looked = 0;
  for (const candidate of candidatesOf(snapshots, role)) {
    looked += 1;
    if (looked > MAX_LOOKED_AT) break;
    const rank = rankOf(candidate.label.toLowerCase(), wanted);
    if (rank !== null) ranked.push({ candidate, rank });
  }
  const byKind = new Map<string, number>();
  const found = ranked
    .toSorted((a, b) => a.rank - b.rank)
    .filter(({ candidate: { kind } }) => {
      const count = (byKind.get(kind) ?? 0) + 1;
      byKind.set(kind, count);
      return count <= MAX_OF_A_KIND;
    })
    .slice(0, MAX_FOUND)
    .map(({ candidate: { kind: _, ...shown } }) => shown);
  const mayBeJob = /^\S{1,200}$/.test(text);
  return { text, found, jobHref: mayBeJob ? `/find/job?${new URLSearchParams({ id: text })}` : null };
}

/** 0: begins with it; 1: a word of it does; 2: holds it; null: does not. */
function rankOf(name: string, wanted: string): number | null {
  const at = name.indexOf(wanted);
  if (at < 0) return null;
  if (at === 0) return 0;
  return /[^\p{L}\p{N}]/u.test(name.charAt(at - 1)) ? 1 : 2;
}

function* candidatesOf(snapshots: readonly Snapshot[], role: Role): Generator<Candidate> {
  for (const { label, href, pages } of PLACES) {
    yield { kind: 'page', href, label, about: 'Page' };
    for (const page of pages)
      if (page.href !== href) yield { kind: 'page', ...page, about: `Page · ${label}` };
  }
  for (const { instance } of snapshots) {
    yield { kind: 'page', href: instancePath(instance), label: `Redis ${instance}`, about: 'Page' };
    yield { kind: 'page', href: memoryPath(instance), label: `Memory of ${instance}`, about: 'Page' };
  }
  const [first] = snapshots;
  for (const { name, title, scope, role: needed } of ACTIONS) {
    if (!first || !includesRole(role, needed) || !(scope === 'queue' || scope === 'instance')) continue;
    const target = scope === 'queue' ? { match: '*' } : {};
    const href = actionPath({ action: name, instance: first.instance, ...target });
    yield { kind: 'action', href, label: title, about: 'Action' };
  }
  for (const { instance, queues } of snapshots)
    for (const { id, name } of queues)
      yield {
        kind: 'queue',
        href: queuePath(instance, id),
        label: plainName(name),
        about: `Queue · ${instance}`,
      };
  for (const { instance, workers } of snapshots)
    for (const { id, label, host, queueId } of workers) {
      const href = workerPath(instance, id);
      const about = `Worker · ${plainName(host ?? instance)} · ${plainName(queueId)}`;
      yield { kind: 'worker', href, label: plainName(label), about };
    }
  for (const { instance, queues } of snapshots)
    for (const { id, name, types } of queues)
      for (const type of types) {
        const about = `Job type · ${plainName(name)} · ${instance}`;
        yield {
          kind: 'type',
          href: isNamedType(type.name) ? jobTypePath(instance, id, type.name) : queuePath(instance, id),
          label: plainName(type.name),
          about,
        };
      }
}

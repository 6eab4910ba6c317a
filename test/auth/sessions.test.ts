import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Accounts } from '../../server/auth/accounts.js';
import { SESSION_MS, Sessions } from '../../server/auth/sessions.js';
import { hashToken } from '../../server/auth/wrong-tokens.js';
import type { TokenEntry } from '../../server/config/config.js';
import type { Store } from '../../server/open-store.js';
import type { SessionStore } from '../../server/store/sessions.js';
import { NOW_MS } from '../support/snapshot.js';
import { openStoreIn } from '../support/stores.js';

const ann: TokenEntry = { name: 'ann', role: 'operator', sha256: hashToken('a') };
const ben: TokenEntry = { name: 'ben', role: 'viewer', sha256: hashToken('b') };
let directory: string;
let store: Store;
let nowMs: number;
let warned: string[];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spillway-sessions-'));
  store = await openStoreIn(directory);
});
beforeEach(async () => {
  nowMs = NOW_MS;
  warned = [];
  await store.sessions.remove((await store.sessions.list(0)).map(({ id }) => id));
});
afterAll(async () => {
  store.close();
  await rm(directory, { recursive: true, force: true });
});

/** A console that starts with these tokens, on the store that all share. */
async function started(tokens: readonly TokenEntry[], kept: SessionStore = store.sessions) {
  const sessions = new Sessions(
    new Accounts({ tokens }),
    kept,
    () => nowMs,
    (message) => warned.push(message),
  );
  await sessions.open();
  return sessions;
}
async function begin(sessions: Sessions, { sha256, name }: TokenEntry): Promise<string> {
  const who = { way: 'token', source: sha256, name, groups: [], address: '10.0.0.1' } as const;
  return (await sessions.begin(who)) ?? 'refused';
}
const nameOf = async (sessions: Sessions, ...cookies: string[]) =>
  (await sessions.find(cookies))?.identity.name ?? null;
async function signOut(sessions: Sessions, cookie: string): Promise<void> {
  await sessions.end([(await sessions.find([cookie]))?.id ?? 'none']);
}

describe('a session', () => {
  it('is found by its cookie, among others that are none of ours, until its time is over', async () => {
    const sessions = await started([ann, ben]);
    const cookie = await begin(sessions, ann);
    expect(await nameOf(sessions, cookie)).toBe('ann');
    expect(await nameOf(sessions, 'x'.repeat(43), 'old.form.cookie', cookie)).toBe('ann');
    expect(await nameOf(sessions, `${cookie.slice(0, -1)}-`, '')).toBeNull();
    expect(JSON.stringify(await store.sessions.list(nowMs))).not.toContain(cookie);
    nowMs += SESSION_MS;
    expect(await nameOf(sessions, cookie)).toBeNull();
    expect(await store.sessions.list(nowMs)).toEqual([]);
  });

  it('outlives a restart, but not when it was signed out before', async () => {
    const before = await started([ann]);
    const [left, kept] = [await begin(before, ann), await begin(before, ann)];
    await signOut(before, left);
    expect(await nameOf(before, left)).toBeNull();
    const after = await started([ann]);
    expect([await nameOf(after, left), await nameOf(after, kept)]).toEqual([null, 'ann']);
  });

  it('does not come back with a token that was taken away and is put back', async () => {
    const cookie = await begin(await started([ann, ben]), ann);
    expect(await nameOf(await started([ben]), cookie)).toBeNull();
    expect(await nameOf(await started([ann, ben]), cookie)).toBeNull();
  });

  it('that begins at one console is known at another on its store at once, and ends there within seconds', async () => {
    const [here, there] = [await started([ann]), await started([ann])];
    nowMs += 1_000;
    const cookie = await begin(here, ann);
    const session = await there.find([cookie]);
    expect(session?.identity.name).toBe('ann');
    await signOut(here, cookie);
    nowMs += 5_000;
    there.isOver(session?.id ?? '');
    await expect.poll(() => there.isOver(session?.id ?? '')).toBe(true);
  });

  it('is read again at most once a second for strangers, however many cookies they make up', async () => {
    let reads = 0;
    const counting: SessionStore = {
      ...store.sessions,
      list: (atMs) => {
        reads += 1;
        return store.sessions.list(atMs);
      },
    };
    const sessions = await started([ann], counting);
    for (let i = 0; i < 100; i++) await sessions.find([String(i).padEnd(43, 'x')]);
    expect(reads).toBe(1);
  });

  it('begins and ends also while the store takes nothing, which is reported once; what was ended stays so', async () => {
    let isFull = true;
    const full = () => Promise.reject(new Error('disk full'));
    const failing: SessionStore = {
      ...store.sessions,
      add: (row) => (isFull ? full() : store.sessions.add(row)),
      remove: (ids) => (isFull ? full() : store.sessions.remove(ids)),
    };
    isFull = false;
    const sessions = await started([ann], failing);
    const kept = await begin(sessions, ann);
    isFull = true;
    const unkept = await begin(sessions, ann);
    await signOut(sessions, kept);
    nowMs += 10_000;
    expect([await nameOf(sessions, kept), await nameOf(sessions, unkept)]).toEqual([null, 'ann']);
    expect(warned).toEqual(["sessions can't be kept: disk full"]);
    isFull = false;
    nowMs += 10_000;
    expect([await nameOf(sessions, kept), await nameOf(sessions, unkept)]).toEqual([null, 'ann']);
    // What could not be written before is by now under way.
    await expect.poll(async () => nameOf(await started([ann]), kept)).toBeNull();
  });

  it('takes the place of the oldest where a program signs in again and again', async () => {
    const sessions = await started([ann, ben]);
    const other = await begin(sessions, ben);
    const first = await begin(sessions, ann);
    for (let i = 0; i < 100; i++) await begin(sessions, ann);
    expect([await nameOf(sessions, first), await nameOf(sessions, other)]).toEqual([null, 'ben']);
    expect(await store.sessions.list(nowMs)).toHaveLength(101);
  });

  it('ends when its token is taken away or gets another role, at once where the console runs, and does not come back', async () => {
    const accounts = new Accounts({ tokens: [ann, ben] });
    const sessions = new Sessions(
      accounts,
      store.sessions,
      () => nowMs,
      () => undefined,
    );
    const [cookie, other] = [await begin(sessions, ann), await begin(sessions, ben)];
    const id = (await sessions.find([cookie]))?.id ?? '';
    accounts.replace({ tokens: [{ ...ann, role: 'admin' }, ben] });
    expect([sessions.isOver(id), await nameOf(sessions, cookie)]).toEqual([true, null]);
    await sessions.open();
    accounts.replace({ tokens: [ann, ben] });
    expect([await nameOf(sessions, cookie), await nameOf(sessions, other)]).toEqual([null, 'ben']);
    accounts.replace({ tokens: [ann] });
    expect([await nameOf(sessions, other), await begin(sessions, ben)]).toEqual([null, 'refused']);
  });

  it('says since when and from where it is, and when it was last seen, at every console on the store', async () => {
    const [here, there] = [await started([ann]), await started([ann])];
    const cookie = await begin(here, ann);
    nowMs += 3_600_000;
    await here.find([cookie]);
    const seen = { name: 'ann', way: 'token', address: '10.0.0.1', createdAtMs: NOW_MS, seenAtMs: nowMs };
    await expect.poll(() => there.list()).toEqual([expect.objectContaining(seen)]);
  });
});

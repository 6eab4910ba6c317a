import { describe, expect, it } from 'vitest';
import type { WorkerState, WorkerType } from '../../server/model/worker.js';
import { amongPeers } from '../../views/worker-peers.js';
import { WorkerRow } from '../../views/worker-row.js';
import { aWorker } from '../support/fleet.js';
import { rendered, textIn } from '../support/rendered.js';
import { aQueue, aSnapshot, NOW_MS } from '../support/snapshot.js';

function row(worker: WorkerState, others: readonly WorkerState[] = []): string {
  const snapshot = { ...aSnapshot({ queues: [aQueue()] }), workers: [worker, ...others] };
  const peers = amongPeers(snapshot.workers).get(worker.id) ?? null;
  return rendered(
    <WorkerRow
      worker={worker}
      snapshot={snapshot}
      peers={peers}
      canAct={true}
      hasQueue={false}
      hasManyInstances={false}
    />,
  );
}

const job = (ageMs: number) => ({ jobId: String(ageMs), type: 'send', startedAtMs: NOW_MS - ageMs });
const runs = (p50Ms: number): readonly WorkerType[] => [
  {
    name: 'send',
    completed: 100,
    failed: 0,
    run: { count: 100, p50Ms, p99Ms: 2 * p50Ms, longestMs: 3 * p50Ms },
    recent: { count: 50, p50Ms },
  },
];

describe('a worker’s row', () => {
  it('reports what is wrong by a word and a shape that no other trouble has, and its slots by a sign', () => {
    const busy = { concurrency: { deployed: 4, now: 4 }, running: 4, oldest: [1, 2, 3, 4].map(job) };
    const idle = { ...busy, running: 0, oldest: [] };
    const troubles = {
      crashed: row({ ...aWorker({ agent: busy }), verdict: 'crashed' }),
      hung: row({ ...aWorker({ agent: { ...busy, lastBeatAtMs: NOW_MS - 9_000 } }), verdict: 'stuck' }),
      'not consuming': row({ ...aWorker({ agent: idle }), verdict: 'silent' }),
      saturated: row({ ...aWorker({ agent: busy }), verdict: 'overloaded' }),
      blocked: row({ ...aWorker({ agent: idle }), verdict: 'blocked' }),
    };
    const shapes = new Set<string | undefined>();
    const signs = new Set<string | undefined>();
    for (const [word, html] of Object.entries(troubles)) {
      const state = /<span class="state-word[^>]*>(.*?)<\/span>/s.exec(html)?.[1] ?? '';
      expect(textIn(state)).toBe(word);
      shapes.add(/href="#icon-([^"]*)"/.exec(state)?.[1]);
      signs.add(/<g class="slot-([a-z]+)"/.exec(html)?.[1]);
    }
    expect(shapes.size).toBe(5);
    expect(signs).toEqual(new Set(['gone', 'stuck', 'deaf', 'busy', 'blocked']));
  });

  it('draws a slot for each job in hand by how long it runs, and those that hang as hung', () => {
    const agent = {
      concurrency: { deployed: 4, now: 5 },
      running: 3,
      oldest: [job(40_000), job(16_000), job(300)],
      types: runs(3_000),
    };
    const html = row(aWorker({ agent }));
    expect(html).toMatch(
      /aria-label="Slots of mailer@web-1: 5 in all; 2 idle; 1 busy, the longest for 0 s; 1 slow, the longest for 15 s; 1 hung, the longest for 40 s."/,
    );
    expect(textIn(html)).toContain('3 of 5');
    expect(textIn(html)).toContain('configured 4');
  });

  it('lets the one that is far slower than its peers stand out, by shape, word and number', () => {
    const peers = ['b', 'c', 'd'].map((id) => aWorker({ id, agent: { agentId: id, types: runs(110) } }));
    const slow = {
      ...aWorker({ agent: { types: runs(1_000) } }),
      outlier: { kind: 'slow', type: 'send', own: 1_000, peers: 110, sentence: 'send takes 1 s.' } as const,
    };
    const html = row(slow, peers);
    expect(html).toContain('class="strip is-outlier"');
    expect(html).toContain('Run time of mailer@web-1, send: 1 s, an outlier; 3 peers take 110 ms.');
    expect(textIn(html)).toMatch(/1 s outlier/);
    const [peer] = peers;
    if (!peer) throw new Error('there are three');
    expect(row(peer, [slow, ...peers.slice(1)])).not.toContain('is-outlier');
  });

  it('says nothing of now where nothing is heard: no number that would pass for one', () => {
    const html = row({ ...aWorker({ agent: { finishedPerSecond: 11.4 } }), verdict: 'crashed' });
    expect(textIn(html)).not.toContain('11.4');
    expect(textIn(row({ ...aWorker({ agent: null }), verdict: 'unknown' }))).toMatch(/no agent/);
  });
});

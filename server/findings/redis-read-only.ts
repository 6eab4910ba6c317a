import type { FindingRule, FoundNow } from '../model/finding.js';
import { formatDuration } from '../model/format.js';
import { nodeName, plainName, plainProblem } from '../model/words.js';

export const redisReadOnly: FindingRule = {
  code: 'redis.read-only',
  about: 'Writes are refused: this is a read-only replica, or the console has no permission to write.',
  detect: (snapshot) => {
    const replicas = snapshot.nodes.filter((node) => node.isReadOnly);
    if (replicas.length > 0) {
      // Behind Sentinel or in a Cluster the console was led here, as applications are: then nobody finds a master.
      const isFailover = snapshot.link.topology !== 'single';
      return replicas.map((node): FoundNow => {
        const uptime = `up for ${formatDuration(node.uptimeSeconds)}`;
        const master = node.replicationLinkUp ? '' : ', and its link to the master is down';
        return {
          severity: isFailover ? 'critical' : 'warning',
          queue: null,
          node: node.id,
          title: 'Redis is a read-only replica',
          sentence: `${nodeName(node, snapshot)} at ${plainName(node.address)} is a read-only replica (${uptime})${master}: workers and producers that use this address are refused every write, and no action works here; connect to the master.`,
          evidence: [
            { label: 'role', value: node.role },
            { label: 'link to the master', value: node.replicationLinkUp ? 'up' : 'down' },
          ],
          remedies: [],
          rank: 900,
        };
      });
    }
    if (snapshot.capabilities?.canWrite !== false) return [];
    const refusal = snapshot.capabilities.refusals.canWrite;
    return [
      {
        severity: 'info',
        queue: null,
        node: null,
        title: 'The console may only look',
        sentence: `The console's Redis user may not write${refusal ? ` (${plainProblem(refusal)})` : ''}: it shows everything, but its actions do not work until the user is given write permission.`,
        evidence: refusal ? [{ label: 'Redis says', value: plainProblem(refusal) }] : [],
        remedies: [],
        rank: 90,
      },
    ];
  },
};

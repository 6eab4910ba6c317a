import type { Endpoint, InstanceConfig } from '../model/instance-config.js';
import type { FileConfig } from './config-file.js';
import { maskUrl } from './mask-secrets.js';
import { parseRedisUrl } from './redis-url.js';

/** A setting and where it is from: a flag or a variable. */
export interface Given {
  readonly value: string;
  readonly source: string;
}

/** Instances of the file that are not watched, as something else says which Redis is. */
export interface UnwatchedInstances {
  /** The flag or variable. */
  readonly because: string;
  readonly names: readonly string[];
}

/** A URL that is given by flag or environment takes the place of all that the file names. */
export function unwatchedOf(url: Given | null, { instances = [] }: FileConfig): UnwatchedInstances | null {
  if (url === null || instances.length === 0) return null;
  return { because: url.source, names: instances.map(({ name }) => name) };
}

/** For people, who may have left it in a script or a unit file. */
export function unwatchedInWords({ because, names }: UnwatchedInstances): string {
  const [subject, verb] = names.length === 1 ? ['1 instance', 'is'] : [`${names.length} instances`, 'are'];
  return `${because} takes the place of all instances of the config file: ${subject} of it (${names.join(', ')}) ${verb} not watched, nor what it says of them heeded`;
}

/**
 * Every Redis that is watched.
 * @param problems takes what is wrong with the URL, without its password.
 */
export function instancesOf(
  url: Given | null,
  file: FileConfig,
  agentSecret: string | null,
  problems: string[],
): readonly InstanceConfig[] {
  if (url || !file.instances) {
    try {
      const endpoint = parseRedisUrl(url?.value ?? 'redis://127.0.0.1:6379');
      return [
        {
          name: 'default',
          endpoint,
          queues: [],
          pollIntervalMs: 1000,
          cpuBudgetRatio: 0.01,
          agentSecret,
          tenantField: file.tenantField ?? null,
        },
      ];
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'is not a Redis URL';
      problems.push(`${url?.source ?? 'REDIS_URL'}: ${maskUrl(url?.value ?? '')} ${reason}`);
      return [];
    }
  }
  return file.instances.map((entry) => ({
    name: entry.name,
    endpoint: endpointOf(entry),
    queues: entry.queues,
    pollIntervalMs: entry.pollIntervalMs,
    cpuBudgetRatio: entry.cpuBudgetRatio,
    agentSecret: entry.agentSecret ?? agentSecret,
    tenantField: (entry.tenantField === undefined ? file.tenantField : entry.tenantField) ?? null,
  }));
}

function endpointOf(entry: NonNullable<FileConfig['instances']>[number]): Endpoint {
  if (entry.url) return entry.url;
  const given = entry.sentinel ?? entry.cluster;
  if (!given) throw new Error('unreachable: the schema asks for exactly one of url, sentinel and cluster');
  const login = {
    tls: given.tls,
    ...(given.username === undefined ? {} : { username: given.username }),
    ...(given.password === undefined ? {} : { password: given.password }),
  };
  if (!entry.sentinel) return { kind: 'cluster', nodes: given.hosts, ...login };
  const { master, db, sentinelUsername, sentinelPassword } = entry.sentinel;
  return {
    kind: 'sentinel',
    sentinels: given.hosts,
    master,
    db,
    ...login,
    ...(sentinelUsername === undefined ? {} : { sentinelUsername }),
    ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
  };
}

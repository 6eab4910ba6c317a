/** Where a Redis is. Made from REDIS_URL, a flag or the config file by config.ts; may hold secrets, so never print it. */
export type Endpoint =
  | { readonly kind: 'single'; readonly url: string }
  | {
      readonly kind: 'sentinel';
      readonly sentinels: readonly HostPort[];
      readonly master: string;
      readonly username?: string;
      readonly password?: string;
      readonly sentinelUsername?: string;
      readonly sentinelPassword?: string;
      readonly tls: boolean;
      readonly db: number;
    }
  | {
      readonly kind: 'cluster';
      readonly nodes: readonly HostPort[];
      readonly username?: string;
      readonly password?: string;
      readonly tls: boolean;
    };

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** One watched Redis. */
export interface InstanceConfig {
  readonly name: string;
  readonly endpoint: Endpoint;
  /** Queue ids (`prefix:name`, or a bare name for prefix `bull`) to watch besides those that SCAN finds. */
  readonly queues: readonly string[];
  /** How often it is read when nothing slows the console down; ms. */
  readonly pollIntervalMs: number;
  /** Share of one core of Redis that the console allows itself, 0..1. */
  readonly cpuBudgetRatio: number;
  /** Signs orders to agents; null: orders are not signed. Never to be printed. */
  readonly agentSecret: string | null;
  /** Where job data name the tenant: a key, or up to four joined by dots. null: job data are never read for it. */
  readonly tenantField: string | null;
  /** Fields of jobs that are shown nowhere, as paths (redact.ts). Absent: none. */
  readonly redact?: readonly string[];
}

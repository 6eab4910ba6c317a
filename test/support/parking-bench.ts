import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { Parking } from '../../server/model/parking.js';
import type { TimelineEntry } from '../../server/model/timeline-entry.js';
import { MovedJobs } from '../../server/replay/load-sample.js';
import { openParked, type ParkedStore } from '../../server/replay/parking/open-parked.js';
import type { ParkRequest } from '../../server/replay/parking/parking.js';
import { Parkings } from '../../server/replay/parking/parkings.js';
import { aQueue, aSnapshot } from './snapshot.js';

/** Parking without a console around it: a file, a Redis, and what it reports. */
export interface ParkingBench {
  readonly directory: string;
  readonly store: ParkedStore;
  readonly parkings: Parkings;
  readonly told: readonly Omit<TimelineEntry, 'id'>[];
  readonly warned: readonly string[];
  /** Parks and waits for the end. */
  park(queue: string, request?: Partial<ParkRequest>): Promise<Parking>;
  /** Brings it back and waits for the end. */
  restore(id: string, ratePerSecond?: number | null): Promise<Parking>;
  stop(): Promise<void>;
}

interface ParkingBenchOptions {
  readonly port: number;
  /** Kept after the end when given. */
  readonly directory?: string;
  readonly maxBytes?: number;
  readonly canFlagScripts?: boolean;
  /** Ids of queues that the console knows there. */
  readonly queues?: readonly string[];
}

export async function startParking(options: ParkingBenchOptions): Promise<ParkingBench> {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'spillway-parking-')));
  const store = await openParked(directory, options.maxBytes ?? 2 * 1024 ** 3);
  const client = new Redis({
    port: options.port,
    host: '127.0.0.1',
    commandTimeout: 5_000,
    enableOfflineQueue: false,
    maxRetriesPerRequest: null,
    autoResendUnfulfilledCommands: false,
    retryStrategy: () => 50,
  });
  client.on('error', () => undefined);
  await new Promise((resolve) => client.once('ready', resolve));
  const told: Omit<TimelineEntry, 'id'>[] = [];
  const warned: string[] = [];
  const parkings = new Parkings({
    store,
    queue: (_instance, id) =>
      client.status === 'ready' ? { client, canFlagScripts: options.canFlagScripts ?? true, id } : null,
    snapshot: (instance) =>
      options.queues && instance === 'default'
        ? aSnapshot({ queues: options.queues.map((id) => aQueue({ id })) })
        : null,
    moved: new MovedJobs(),
    now: Date.now,
    newId: randomUUID,
    recordEvent: (event) => void told.push(event),
    warn: (message) => void warned.push(message),
  });
  await parkings.onElected();
  return {
    directory,
    store,
    parkings,
    told,
    warned,
    async park(queue, request = {}) {
      const parking = await parkings.begin({ ...parkRequest(queue), ...request });
      return parkings.settled(parking.id, 60_000);
    },
    async restore(id, ratePerSecond = null) {
      await parkings.restore(id, { ratePerSecond, guard: false });
      return parkings.settled(id, 60_000);
    },
    async stop() {
      await parkings.stop();
      client.disconnect();
      if (options.directory === undefined) await rm(directory, { recursive: true, force: true });
    },
  };
}

export function parkRequest(queue: string): ParkRequest {
  return {
    instance: 'default',
    queue,
    states: ['waiting', 'prioritized', 'delayed'],
    jobTypes: null,
    most: null,
    reason: 'drill',
    actor: 'olga',
    origin: 'person',
  };
}

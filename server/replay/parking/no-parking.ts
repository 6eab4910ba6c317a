import { ParkingError } from './parking.js';
import type { ParkingPort } from './parking-port.js';

/** Where the data directory can't be written: parked jobs are never kept in memory, so nothing is parked. */
export function noParking(problem: string): ParkingPort {
  const refuse = async (): Promise<never> => {
    throw new ParkingError('unavailable', problem);
  };
  return {
    problem,
    estimate: refuse,
    begin: refuse,
    restore: refuse,
    change: refuse,
    get: refuse,
    types: refuse,
    settled: refuse,
    disk: refuse,
    exportLines: refuse,
    importLines: refuse,
    list: async () => [],
  };
}

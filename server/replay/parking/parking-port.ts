import type { DiskUse } from './disk-bound.js';
import type { ParkEstimate } from './estimate.js';
import type { ParkedType } from './parked-jobs.js';
import type { Parking, ParkingPatch, ParkRequest, PausedBy, RestoreTerms } from './parking.js';

/** What actions, API and pages ask of parking. Every method throws ParkingError for what makes no sense or can't be done. */
export interface ParkingPort {
  /** Why nothing can be parked; null: it can. */
  readonly problem: string | null;
  estimate(request: ParkRequest): Promise<ParkEstimate>;
  begin(request: ParkRequest, id?: string): Promise<Parking>;
  restore(id: string, terms: RestoreTerms): Promise<Parking>;
  change(id: string, patch: ParkingPatch, by?: PausedBy): Promise<Parking>;
  get(id: string): Promise<Parking>;
  list(filter: { instance?: string; queue?: string; limit: number }): Promise<readonly Parking[]>;
  types(id: string): Promise<readonly ParkedType[]>;
  settled(id: string, withinMs: number): Promise<Parking>;
  disk(): Promise<DiskUse>;
  exportLines(id: string): Promise<AsyncIterable<string>>;
  importLines(chunks: AsyncIterable<Uint8Array>, actor: string): Promise<Parking>;
}

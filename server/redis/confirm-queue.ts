import { type ReadBatch, Refused, type Slot } from './read-batch.js';

/** Asks whether a queue of BullMQ has this id, `<prefix>:<name>`. */
export function askForQueue(batch: ReadBatch, id: string): Slot {
  return batch.add('hmget', `${id}:meta`, 'version', 'opts.maxLenEvents');
}

/**
 * A hash named …:meta is a queue's if it holds a field that only BullMQ writes.
 * @returns null: not known, as Redis refused to say. But what is no hash is no queue's.
 */
export function isQueue(batch: ReadBatch, slot: Slot): boolean | null {
  const fields = batch.read((answers) => answers.list(slot));
  if (fields instanceof Refused) return fields.code === 'WRONGTYPE' ? false : null;
  const [version = null, maxLenEvents = null] = fields;
  return version?.startsWith('bullmq') === true || maxLenEvents !== null;
}

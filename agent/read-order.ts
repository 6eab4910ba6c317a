import type { KeptOrders, Order, SignedOrder, WorkerLimiter } from './protocol.js';

/** Texts longer than this are not orders. */
const MAX_CHARS = 16_384;
const MAX_KEPT = 1_000;
/** What a queue keeps: 500 orders with a reason of 1,000 characters each. More than this is not even fetched. */
export const MAX_KEPT_BYTES = 2 * 1024 * 1024;
const SETTINGS: readonly Order['setting'][] = ['concurrency', 'paused', 'limiter', 'all', 'reconnect'];

/** What came on an order channel; null where it is nothing of the kind. By hand: a worker has no schema library. */
export function readSignedOrder(text: string): SignedOrder | null {
  if (text.length > MAX_CHARS) return null;
  return asSignedOrder(parseJson(text));
}

/** The field that keeps orders; what can't be read in it is left out. */
export function parseKeptOrders(text: string | null): KeptOrders {
  const parsed = text === null || text.length > MAX_KEPT_BYTES ? null : parseJson(text);
  if (!isRecord(parsed)) return {};
  const kept: Record<string, SignedOrder> = {};
  for (const [key, value] of Object.entries(parsed).slice(0, MAX_KEPT)) {
    const signed = asSignedOrder(value);
    if (signed) kept[key] = signed;
  }
  return kept;
}

function asSignedOrder(value: unknown): SignedOrder | null {
  if (!isRecord(value) || typeof value.v !== 'number' || typeof value.body !== 'string') return null;
  if (value.body.length > MAX_CHARS) return null;
  if (value.sig !== null && value.sig !== undefined && typeof value.sig !== 'string') return null;
  return { v: value.v, body: value.body, sig: value.sig ?? null };
}

/** The order inside; null where a field is missing or is not what it has to be. */
export function readOrder(body: string): Order | null {
  const value = parseJson(body);
  if (!isRecord(value)) return null;
  const { id, nonce, atMs, queue, workers, scope, by, reason, untilMs, setting } = value;
  if (typeof id !== 'string' || id === '' || id.length > 100) return null;
  if (nonce !== undefined && (typeof nonce !== 'string' || nonce === '' || nonce.length > 100)) return null;
  if (typeof atMs !== 'number' || !Number.isFinite(atMs)) return null;
  if (typeof queue !== 'string' || typeof scope !== 'string') return null;
  if (typeof by !== 'string' || typeof reason !== 'string') return null;
  if (untilMs !== null && (typeof untilMs !== 'number' || !Number.isFinite(untilMs))) return null;
  if (workers !== null && !isTextList(workers)) return null;
  if (!SETTINGS.includes(setting as Order['setting'])) return null;
  if (!fits(setting as Order['setting'], value.value)) return null;
  return value as unknown as Order;
}

function fits(setting: Order['setting'], value: unknown): boolean {
  if (setting === 'reconnect') return value === true;
  if (value === null) return true;
  switch (setting) {
    case 'concurrency':
      return isRecord(value) ? isPositive(value.factor) : isPositive(value) && Number.isInteger(value);
    case 'paused':
      return typeof value === 'boolean';
    case 'limiter':
      return value === 'none' || isLimiter(value);
    case 'all':
      return false;
  }
}

function isLimiter(value: unknown): value is WorkerLimiter {
  return isRecord(value) && isPositive(value.max) && isPositive(value.durationMs);
}

function isPositive(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0;
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

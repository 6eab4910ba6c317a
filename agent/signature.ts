import { createHmac, timingSafeEqual } from 'node:crypto';
import { type Order, PROTOCOL, type SignedOrder } from './protocol.js';

/** An order ready to be sent and kept; unsigned where there is no secret. */
export function signOrder(order: Order, secret: string | null): SignedOrder {
  const body = JSON.stringify(order);
  return { v: PROTOCOL, body, sig: secret === null ? null : signatureOf(body, secret) };
}

/** Does the signature belong to this body and secret? Takes the same time wherever they differ. */
export function isSignedWith(signed: SignedOrder, secret: string): boolean {
  if (signed.sig === null) return false;
  const expected = Buffer.from(signatureOf(signed.body, secret));
  const given = Buffer.from(signed.sig);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function signatureOf(body: string, secret: string): string {
  return createHmac('sha256', secret).update(body).digest('hex');
}

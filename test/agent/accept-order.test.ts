import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  acceptSigned,
  parseKeptOrders,
  readOrder,
  readSignedOrder,
  SeenOrders,
  whyIgnored,
} from '../../agent/order-intake.js';
import { ORDER_VALID_MS } from '../../agent/protocol.js';
import { signOrder } from '../../agent/signature.js';
import { anOrder } from '../support/agent-ear.js';

const NOW_MS = 1_800_000_000_000;
const SECRET = 'a secret of enough characters';
const order = anOrder({ setting: 'concurrency', value: 20, atMs: NOW_MS, id: 'one' });

const ME = { id: 'me', secret: SECRET };

describe('an order', () => {
  it('is obeyed once by a worker, also where a process has several', () => {
    const seen = new SeenOrders();
    const mine = { ...order, workers: ['me', 'you'] };
    expect(whyIgnored(mine, ME, seen, NOW_MS)).toBeNull();
    seen.note(mine, 'me', 0);
    expect(whyIgnored(mine, ME, seen, NOW_MS)).toBe('replayed');
    expect(whyIgnored(mine, { ...ME, id: 'you' }, seen, NOW_MS)).toBeNull();
    // Given again by a console.
    const again = { ...mine, nonce: 'new' };
    expect(whyIgnored(again, ME, seen, NOW_MS)).toBeNull();
    seen.note(again, 'me', 1);
    expect(whyIgnored(again, ME, seen, NOW_MS)).toBe('replayed');
  });

  it('that is signed must name its workers: else it could be played back to others', () => {
    expect(whyIgnored(order, ME, new SeenOrders(), NOW_MS)).toBe('unaddressed');
    expect(whyIgnored(order, { ...ME, secret: null }, new SeenOrders(), NOW_MS)).toBeNull();
  });

  it('is forged when a single letter of it is another', () => {
    const signed = signOrder(order, SECRET);
    fc.assert(
      fc.property(fc.nat(signed.body.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, letter) => {
        fc.pre(signed.body[at] !== letter);
        const body = signed.body.slice(0, at) + letter + signed.body.slice(at + 1);
        expect(acceptSigned({ ...signed, body }, 'bull:work', SECRET)).toBe('forged');
      }),
    );
    expect(acceptSigned({ ...signed, sig: 'ab' }, 'bull:work', SECRET)).toBe('forged');
    expect(acceptSigned({ ...signed, sig: null }, 'bull:work', SECRET)).toBe('unsigned');
  });

  it('is late when it is older or newer than clocks may differ', () => {
    for (const nowMs of [NOW_MS + ORDER_VALID_MS + 1, NOW_MS - ORDER_VALID_MS - 1])
      expect(whyIgnored(order, { ...ME, secret: null }, new SeenOrders(), nowMs)).toBe('late');
  });

  it('for another queue, or of a later protocol, is not obeyed', () => {
    expect(acceptSigned(signOrder(order, null), 'bull:other', null)).toBe('malformed');
    expect(acceptSigned({ ...signOrder(order, null), v: 2 }, 'bull:work', null)).toBe('malformed');
  });
});

describe('what is heard on an order channel', () => {
  it('never throws, whatever it is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        readSignedOrder(text);
        readOrder(text);
        parseKeptOrders(text);
      }),
    );
    expect(readSignedOrder(`{"v":1,"body":"${'x'.repeat(20_000)}","sig":null}`)).toBeNull();
  });

  it.each([
    { setting: 'concurrency', value: 0 },
    { setting: 'concurrency', value: 1.5 },
    { setting: 'concurrency', value: { factor: -1 } },
    { setting: 'concurrency', value: 'many' },
    { setting: 'paused', value: 'yes' },
    { setting: 'limiter', value: { max: 1 } },
    { setting: 'restart', value: null },
    { setting: 'all', value: true },
  ])('is no order where its value does not fit: $setting $value', (wrong) => {
    expect(readOrder(JSON.stringify({ ...order, ...wrong }))).toBeNull();
  });
});

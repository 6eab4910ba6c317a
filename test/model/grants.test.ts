import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Bound, hasRoleOn, roleOn, seesInstance, strongestRole } from '../../server/model/grants.js';
import { type Grant, includesRole, ROLES } from '../../server/model/role.js';

const role = fc.constantFrom(...ROLES);
const instance = fc.constantFrom('default', 'eu', 'us');
const queue = fc.constantFrom('bull:pay-in', 'bull:pay-out', 'bull:mail', 'app:pay-in');
const globs = (of: fc.Arbitrary<string>) =>
  fc.array(fc.oneof(of, fc.constantFrom('*', 'bull:*', 'bull:pay-*', 'e?', '*pay*')), {
    minLength: 1,
    maxLength: 3,
  });
const grant: fc.Arbitrary<Grant> = fc.record(
  { role, instances: globs(instance), queues: globs(queue) },
  { requiredKeys: ['role'] },
);
const bound = fc.record({
  role,
  grants: fc.array(grant, { minLength: 1, maxLength: 4 }),
});
const place = fc.record({ instance, queue: fc.option(queue) });

const payments: Bound = { role: 'operator', grants: [{ role: 'operator', queues: ['bull:pay-*'] }] };

test('payments is operator on bull:pay-*: other queues, and the whole of the Redis, are not seen', () => {
  expect(roleOn(payments, 'default', 'bull:pay-in')).toBe('operator');
  expect(roleOn(payments, 'default', 'bull:mail')).toBeNull();
  expect(roleOn(payments, 'default', 'app:pay-in')).toBeNull();
  expect(roleOn(payments, 'default', null)).toBeNull();
  expect(seesInstance(payments, 'default', ['bull:mail', 'bull:pay-in'])).toBe(true);
  expect(seesInstance(payments, 'default', ['bull:mail'])).toBe(false);
});

test('a role without grants holds everywhere', () => {
  fc.assert(
    fc.property(role, place, (own, { instance, queue }) => roleOn({ role: own }, instance, queue) === own),
  );
});

test('no grant gives more than the role it belongs to, and none more than the strongest of them', () => {
  fc.assert(
    fc.property(bound, place, (who, { instance, queue }) => {
      const on = roleOn(who, instance, queue);
      return on === null || (includesRole(who.role, on) && includesRole(strongestRole(who), on));
    }),
  );
});

test('one more grant never takes anything away, and their order means nothing', () => {
  fc.assert(
    fc.property(bound, grant, place, (who, more, { instance, queue }) => {
      const before = roleOn(who, instance, queue);
      const after = roleOn({ ...who, grants: [more, ...who.grants] }, instance, queue);
      const turned = roleOn({ ...who, grants: who.grants.toReversed() }, instance, queue);
      return turned === before && (before === null || (after !== null && includesRole(after, before)));
    }),
  );
});

test('whoever has a role on the whole of a Redis has it on each of its queues', () => {
  fc.assert(
    fc.property(bound, instance, queue, (who, where, id) => {
      const whole = roleOn(who, where, null);
      return whole === null || hasRoleOn(who, whole, where, id);
    }),
  );
});

test('what no grant names is not seen', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ role, queues: fc.constant(['bull:pay-*']) }), { minLength: 1 }),
      (grants) => {
        expect(roleOn({ role: 'admin', grants }, 'default', 'bull:mail')).toBeNull();
        expect(seesInstance({ role: 'admin', grants }, 'default', ['bull:mail'])).toBe(false);
      },
    ),
  );
});

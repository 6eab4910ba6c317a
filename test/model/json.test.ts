import { expect, it } from 'vitest';
import { z } from 'zod';
import { jsonWriter, TimeSchema } from '../../server/model/json.js';

const PauseSchema = z.object({ at: TimeSchema, actor: z.string() });
const QueueSchema = z.object({
  id: z.string(),
  readAt: TimeSchema.nullable(),
  pauses: z.array(PauseSchema),
  depth: z.number().nullable(),
  url: z.string().optional(),
});
const write = jsonWriter(QueueSchema);

it('an answer has the fields of its schema and no other, and times as people read them', () => {
  const queue = {
    ...{ id: 'bull:mail', readAtMs: 0, depth: 3, secret: 'not to be shown' },
    pauses: [{ atMs: 1_000, actor: 'ann', token: 'not to be shown' }],
  };
  expect(JSON.parse(JSON.stringify(write(queue)))).toEqual({
    id: 'bull:mail',
    readAt: '1970-01-01T00:00:00.000Z',
    pauses: [{ at: '1970-01-01T00:00:01.000Z', actor: 'ann' }],
    depth: 3,
  });
  expect(write({ ...queue, readAtMs: null }).readAt).toBeNull();
});

it('what is given beside a value is answered as it is given, whatever was given before', () => {
  const queue = { id: 'bull:mail', readAtMs: null, pauses: [], depth: 3 };
  expect(write(queue, { depth: 7 }).depth).toBe(7);
  expect(write(queue, { depth: null }).depth).toBeNull();
  expect(write(queue, { url: '/q/mail' })).toMatchObject({ depth: 3, url: '/q/mail' });
  expect(write(queue).depth).toBe(3);
});

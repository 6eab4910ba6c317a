import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HIDDEN, Redactor, redactProblem, UNCHECKED } from '../../server/model/redact.js';

const redactor = (...paths: readonly string[]): Redactor => {
  const made = Redactor.of(paths);
  if (!made) throw new Error('no paths');
  return made;
};
const shown = (data: unknown, ...paths: readonly string[]): unknown => {
  const text = JSON.stringify(data);
  return JSON.parse(
    redactor(...paths)
      .forJob([text])
      .json(text),
  );
};

describe('a path', () => {
  it.each([
    ['password', { password: 'geheim' }, { password: HIDDEN }],
    ['customer.email', { customer: { email: 'a@b.example', id: 7 } }, { customer: { email: HIDDEN, id: 7 } }],
    [
      '*.password',
      { login: { password: 'geheim' }, password: 'here' },
      { login: { password: HIDDEN }, password: 'here' },
    ],
    [
      '**.password',
      { password: 'geheim', a: { b: [{ password: 'other' }] } },
      { password: HIDDEN, a: { b: [{ password: HIDDEN }] } },
    ],
    [
      'customers.email',
      { customers: [{ email: 'a@b.example' }, [{ email: 'c@d.example' }]] },
      { customers: [{ email: HIDDEN }, [{ email: HIDDEN }]] },
    ],
    ['*.password', [{ password: 'geheim' }], [{ password: HIDDEN }]],
    ['rows.1', { rows: ['left', 'hidden here'] }, { rows: ['left', HIDDEN] }],
    ['*token', { accessToken: 'geheim', tokens: 2 }, { accessToken: HIDDEN, tokens: 2 }],
    ['customer.EMAIL', { Customer: { eMail: 'a@b.example' } }, { Customer: { eMail: HIDDEN } }],
    ['customer.email', { 'customer.email': 'a@b.example' }, { 'customer.email': HIDDEN }],
    ['customer', { customer: { deep: { email: 'a@b.example' } } }, { customer: HIDDEN }],
    ['password', { password: null, nested: {} }, { password: HIDDEN, nested: {} }],
  ])('%s hides of %j', (path, data, wanted) => {
    expect(shown(data, path)).toEqual(wanted);
  });

  it('takes `__proto__` for a key like others', () => {
    const text = '{"__proto__":{"password":"geheim"},"constructor":{"x":1}}';
    expect(redactor('**.password').forJob([text]).json(text)).toBe(
      `{"__proto__":{"password":"${HIDDEN}"},"constructor":{"x":1}}`,
    );
  });

  it('hides what the first of two equal keys holds, which no reader of JSON sees', () => {
    const text = '{"a":{"password":"geheim"},"a":1}';
    expect(redactor('a.password').forJob([text]).json(text)).toBe('{"a":1}');
  });

  it.each(['', 'a..b', ' a', 'a.', '**', 'a.**', `${'a.'.repeat(16)}a`, 'x'.repeat(65), 'a\u0000b'])(
    'is none: %j',
    (path) => expect(redactProblem(path)).toMatch(/^must /),
  );

  it('tells whether a field is hidden, or one around it', () => {
    const some = redactor('*.password', 'customer');
    expect(some.hides('login.password')).toBe(true);
    expect(some.hides('customer.id')).toBe(true);
    expect(some.hides('password')).toBe(false);
    expect(some.hides('login')).toBe(false);
  });
});

describe('a text that quotes job data', () => {
  const of = (data: unknown, ...paths: readonly string[]) =>
    redactor(...paths).forJob([JSON.stringify(data)]);

  it('is shown without the values, as they are, as JSON and as URLs write them', () => {
    const job = of({ login: { password: 'pa "ss" wörd' } }, '*.password');
    for (const quoted of ['pa "ss" wörd', 'pa \\"ss\\" wörd', encodeURIComponent('pa "ss" wörd')])
      expect(job.text(`refused: ${quoted}!`)).toBe(`refused: ${HIDDEN}!`);
    expect(of({ card: 4111111111111111 }, 'card').text('card 4111111111111111 refused')).toBe(
      `card ${HIDDEN} refused`,
    );
    expect(of({ key: '-----BEGIN\nMIIEvQIBADAN\n-----END' }, 'key').text('bad line MIIEvQIBADAN')).toBe(
      `bad line ${HIDDEN}`,
    );
  });

  it('is shown without a short value where that stands by itself', () => {
    const job = of({ cvv: '123' }, 'cvv');
    expect(job.text('cvv 123 of order 91235 refused')).toBe(`cvv ${HIDDEN} of order 91235 refused`);
  });

  it('holds no beginning of a value that a cut has left', () => {
    const job = of({ password: 'correct horse' }, 'password');
    expect(job.text('refused: correct horse', 15)).toBe(`refused: ${HIDDEN}`);
    expect(job.text('refused: correct ho', undefined, true)).toBe(`refused: ${HIDDEN}`);
    expect(job.text('refused: correct ho\ufffd', undefined, true)).toBe(`refused: ${HIDDEN}`);
  });

  it('is hidden whole where the data are not known, are no JSON, or hold too much', () => {
    const some = redactor('**.password');
    for (const parts of [
      [null],
      ['{"cut'],
      [JSON.stringify({ password: Array.from({ length: 300 }, (_, i) => `v${i}`) })],
    ])
      expect(some.forJob(parts).text('Error: geheim')).toBe(UNCHECKED);
    expect(some.forJob(['{"cut']).json('{"cut')).toBe(HIDDEN);
  });

  it('is hidden in the other fields of the job too', () => {
    const data = JSON.stringify({ password: 'geheim!' });
    const result = JSON.stringify({ echo: 'was geheim!', list: [{ 'geheim!': 1 }] });
    expect(redactor('password').forJob([data, result]).json(result)).toBe(
      `{"echo":"was ${HIDDEN}","list":[{"${HIDDEN}":1}]}`,
    );
  });
});

const SECRET = 'zQ7#secret';
const key = fc.oneof(
  fc.constantFrom('a', 'b', 'customer', 'Password', 'password', '0', '__proto__', 'a.b'),
  fc.string(),
);
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 6 },
    fc.constantFrom(SECRET, `x ${SECRET}`, 1, null, true),
    fc.jsonValue(),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(key, tie('value')), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
  ),
})).value;

describe('for any JSON', () => {
  it('never lets a matching value through, in the data or in a text that quotes it', () => {
    const noSecret = /zQ7#secret|zQ7%23secret/;
    fc.assert(
      fc.property(json, fc.array(key, { maxLength: 5 }), fc.boolean(), (rest, way, inArray) => {
        let inner: unknown = { PassWord: inArray ? [{ deep: SECRET }] : SECRET, rest };
        for (const one of way) inner = one === '0' ? [inner] : { [one]: inner, rest };
        const data = JSON.stringify(inner);
        const job = redactor('**.password').forJob([data]);
        expect(job.json(data)).not.toMatch(noSecret);
        expect(job.text(`Error: ${data} ${SECRET} ${encodeURIComponent(SECRET)}`)).not.toMatch(noSecret);
      }),
    );
  });

  it('never throws, and answers JSON that reads as the same where nothing matches', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string(), (value, text) => {
        const data = JSON.stringify(value);
        const job = redactor('no.such.*.field-zz').forJob([data]);
        expect(JSON.parse(job.json(data))).toEqual(JSON.parse(data));
        expect(job.text(text)).toBe(text);
        expect(typeof redactor('**.a', '*').forJob([text, data]).json(text)).toBe('string');
      }),
    );
  });

  it('is bounded, however deep and large it is', () => {
    const deep = `${'['.repeat(200_000)}"${SECRET}"${']'.repeat(200_000)}`;
    const wide = JSON.stringify(Array.from({ length: 400_000 }, () => 0));
    const dotted = JSON.stringify({ ['a.'.repeat(100_000)]: SECRET });
    const many = JSON.stringify(
      Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`k${i}`, SECRET])),
    );
    const some = redactor(...Array.from({ length: 50 }, (_, i) => `**.*a*b*${i}.**.c`));
    for (const data of [deep, wide, dotted, many]) {
      const job = some.forJob([data]);
      expect(job.json(data)).not.toContain(SECRET);
      expect(job.text(`Error: ${SECRET}`)).not.toContain(SECRET);
    }
  });
});

'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const vm = require('node:vm');

const tasker = require('../tasker_host/sdk/tasker');
const { run } = require('../tasker_host/sdk/tasker/testing');

class Empty {}

class Hidden {
  #secret = 7;
  get seen() {
    return this.#secret;
  }
}

const STORED = [
  ['boxed values', () => ({ s: new String('x'), n: new Number(1), b: new Boolean(false) }), { s: 'x', n: 1, b: false }],
  ['dates and sets', () => ({ at: new Date(0), tags: new Set(['a']) }), { at: '1970-01-01T00:00:00.000Z', tags: ['a'] }],
  ['what has a toJSON', () => [new URL('http://a/b'), Object.assign(new Map(), { toJSON: () => 1 })], ['http://a/b', 1]],
  ['members of instances', () => Object.assign(new Empty(), { a: 1 }), { a: 1 }],
  ['empty objects', () => [{}, Object.create(null), vm.runInNewContext('({})'), []], [{}, {}, {}, []]],
  ['undefined members, left out', () => ({ a: undefined, b: 1 }), { b: 1 }],
  ['nothing', () => undefined, null],
  ['what an async handler resolves to', async () => ({ a: 1 }), { a: 1 }],
];

for (const [what, handler, want] of STORED) {
  test(`stored: ${what}`, async () => {
    assert.deepEqual((await run(handler)).result, want);
  });
}

const REFUSED = [
  ['a generator handler', function* () { yield 1; }, 'result is a Generator, of which nothing has run'],
  ['an async generator handler', async function* () { yield 1; }, 'result is an AsyncGenerator, of which nothing has run'],
  ['an iterator', () => ({ items: [0, 1, 2, [7].values()] }), 'result.items[3] is an Array Iterator, which'],
  ['a Map', () => ({ a: new Map([[1, 2]]) }), 'result.a is a Map, which'],
  ['a WeakMap', () => new WeakMap(), 'result is a WeakMap, which'],
  ['a promise inside', () => ({ rows: Promise.resolve(1) }), 'result.rows is a Promise, whose value is not there yet; await it'],
  ['a thenable inside', () => ({ rows: Object.create({ then() {} }, { sql: { value: 1, enumerable: true } }) }), 'whose value is not there yet'],
  ['an instance that hides its state', () => [new Hidden()], 'result[0] is a Hidden, which'],
  ['an instance without members', () => new Empty(), 'result is an Empty, which'],
  ['getters of an instance', () => new URLSearchParams('a=1'), 'result is an URLSearchParams, which'],
  ['members that are not enumerable', () => Object.defineProperty({}, 'a', { value: 1 }), 'result is an object without enumerable members'],
  ['members by symbols alone', () => ({ a: { [Symbol('b')]: 1 } }), 'result.a is an object without enumerable members'],
  ['a boxed BigInt', () => Object(1n), 'result is a BigInt, which'],
  ['a boxed Symbol', () => Object(Symbol('a')), 'result is a Symbol, which'],
  ['a boxed NaN', () => ({ n: new Number(NaN) }), 'result.n is NaN, which'],
  ['a BigInt', () => ({ n: 1n }), 'result.n is a BigInt, which JSON cannot hold; return String(value)'],
  ['a function', () => ({ f: () => 1 }), 'result.f is a function, which'],
  ['a symbol', () => [Symbol('a')], 'result[0] is a symbol, which'],
  ['a hole', () => [1, , 2], 'result[1] is undefined, which'], // eslint-disable-line no-sparse-arrays
  ['infinity', () => ({ a: [{ n: 1 / 0 }] }), 'result.a[0].n is Infinity, which'],
  ['an error', () => ({ e: new TypeError('x') }), 'result.e is an Error, which'],
  ['a regular expression', () => /a/, 'result is a RegExp, which'],
  ['bytes', () => ({ blob: Buffer.from('a') }), 'result.blob is an Uint8Array, which'],
  ['an invalid date', () => new Date(NaN), 'result is an invalid date'],
  ['what contains itself', () => { const a = { b: 1 }; a.a = a; return a; }, 'is nested too deeply, or contains itself'],
  ['U+0000', () => ({ a: ['x\0'] }), 'result.a[0] holds the character U+0000'],
  ['U+0000 in a key', () => ({ a: { 'x\0': 1 } }), 'a key of result.a holds the character U+0000'],
  ['a lone surrogate', () => ({ a: '\ud800' }), 'result.a holds a lone surrogate'],
  ['a toJSON without a result', () => ({ a: { toJSON() {} } }), 'result.a is undefined, which'],
];

for (const [what, handler, want] of REFUSED) {
  test(`refused: ${what}`, async () => {
    const { failure } = await run(handler);
    assert.deepEqual([failure.kind, failure.class], ['permanent', 'Tasker::InvalidResult']);
    assert.ok(failure.message.includes(want), failure.message);
  });
}

const fails = (make) => run(() => { throw make(); }).then(({ failure }) => failure);
const soon = () => new Date(Date.now() + 60_000);

for (const [what, retryAfter, seconds] of [
  ['seconds', 30, 30], ['a fraction', 0.5, 0.5], ['seconds of a header', '120', 120], ['a Date that has passed', new Date(0), 0],
]) {
  test(`retryAfter takes ${what}`, async () => {
    const failure = await fails(() => new tasker.RetryableError('busy', { retryAfter, context: { a: 1 } }));
    assert.deepEqual([failure.retryAfter, failure.details], [seconds, { a: 1 }]);
  });
}

test('retryAfter takes a Date to come', async () => {
  const { retryAfter } = await fails(() => new tasker.RetryableError('busy', { retryAfter: soon() }));
  assert.ok(retryAfter > 0 && retryAfter <= 60, String(retryAfter));
});

const forms = {
  'RFC 1123': (at) => at.toUTCString(),
  'RFC 850': (at) => at.toUTCString().replace(/^(\w+), (\d\d) (\w+) \d\d(\d\d)/, '$1day, $2-$3-$4'),
  asctime: (at) => at.toUTCString().replace(/^(\w+), 0?(\d+) (\w+) (\d+) (\S+) GMT/, (_, day, date, month, year, time) =>
    `${day} ${month} ${date.padStart(2)} ${time} ${year}`),
};

for (const [form, write] of Object.entries(forms)) {
  test(`retryAfter takes the date of a header, in the form of ${form}`, async () => {
    const { retryAfter } = await fails(() => new tasker.RetryableError('busy', { retryAfter: write(soon()) }));
    assert.ok(retryAfter > 50 && retryAfter <= 60, String(retryAfter));
  });
}

for (const value of ['Fri, 99 Jan 2027 00:00:00 GMT', 'soon', -1, NaN, Infinity, {}, [], true, new Date(NaN), Symbol('a'), 5n]) {
  test(`retryAfter ${String(value?.description ?? value)} (${typeof value}) is reported as ignored, and the other members are kept`, async () => {
    const failure = await fails(() => new tasker.RetryableError('busy', { retryAfter: value, context: { a: 1 } }));
    assert.deepEqual([failure.kind, failure.message, failure.retryAfter, failure.details.a], ['retryable', 'busy', undefined, 1]);
    assert.match(failure.details.retry_after_ignored, /is no time to wait: retryAfter is a number of seconds, a Date, or the text of a Retry-After header$/);
  });
}

test('a member that cannot be used costs no other', async () => {
  const failure = await fails(() => new tasker.PermanentError('closed', { errorCode: { a: 1 }, context: { a: 1, b: new Map(), c: [1] } }));
  assert.deepEqual([failure.kind, failure.message, failure.code], ['permanent', 'closed', undefined]);
  assert.deepEqual(failure.details, {
    a: 1, c: [1], error_code_ignored: 'an errorCode is a text, not { a: 1 }',
    details_dropped: 'context.b is a Map, which JSON cannot hold; return plain objects, arrays, texts and numbers',
  });
});

test('members that are computed and throw cost no other', async () => {
  class Computed extends tasker.RetryableError {
    get cause() {
      throw new Error('no cause');
    }

    get context() {
      throw new Error('no context');
    }

    set context(value) {} // the base class sets it
  }
  const failure = await fails(() => new Computed('busy', { retryAfter: 3 }));
  assert.deepEqual([failure.message, failure.retryAfter, failure.details], ['busy', 3, { details_ignored: 'no context' }]);
});

test('errors of another realm, and those of Promise.any, are described', async () => {
  const foreign = await fails(() => vm.runInNewContext('new TypeError("foreign")'));
  assert.deepEqual([foreign.class, foreign.message], ['TypeError', 'foreign']);
  const any = await run(() => Promise.any([Promise.reject(new RangeError('first'))]));
  assert.deepEqual([any.failure.class, any.failure.cause.class, any.failure.cause.message], ['AggregateError', 'RangeError', 'first']);
});

for (const [what, handler] of [
  ['throws', async function user() { throw new Error('x'); }],
  ['throws after an await', async function user() { await null; throw new Error('x'); }],
  ['is refused a call', async function user(task, sequence, step) { await step.secret('none'); }],
  ['gives a call a wrong argument', async function user(task, sequence, step) { await step.spawn({}); }],
  ['gives a heartbeat a wrong argument', function user(task, sequence, step) { step.heartbeat(2); }],
  ['calls Node wrongly', function user() { require('node:fs').readFileSync('/no/such/file'); }],
]) {
  test(`the backtrace of a handler that ${what} begins with the handler`, async () => {
    const { backtrace } = (await run(handler)).failure;
    assert.match(backtrace[0] ?? '', /\buser \(.*results\.test\.js:\d+:\d+\)$/, JSON.stringify(backtrace));
  });
}

const refused = () => Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });

for (const [what, make, want] of [
  ['the code of a system error', refused, 'ECONNREFUSED'],
  ['the code of the cause', () => new TypeError('fetch failed', { cause: refused() }), 'ECONNREFUSED'],
  ['its own code first', () => new tasker.PermanentError('closed', { errorCode: 'CLOSED', cause: refused() }), 'CLOSED'],
  ['no code that is no text', () => Object.assign(new Error('no'), { code: 23505 }), undefined],
  ['no code that cannot be read', () => Object.defineProperty(new Error('no'), 'code', { get() { throw new Error('never'); } }), undefined],
]) {
  test(`recorded: ${what}`, async () => {
    assert.equal((await fails(make)).code, want);
  });
}

class BankError extends RangeError {}
class Declined extends BankError {}

test('recorded: superclasses', () => {
  const { ancestors } = require('../tasker_host/failure').of(new Declined('no'));
  assert.deepEqual(ancestors, ['BankError', 'RangeError']);
  assert.deepEqual([new Error('no'), 'no', null].map((thrown) => require('../tasker_host/failure').of(thrown).ancestors), [undefined, undefined, undefined]);
});

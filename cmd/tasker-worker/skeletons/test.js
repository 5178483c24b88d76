'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { run } = require('tasker/testing');

const handler = require('./{{.Name}}');

test('{{.Name}} succeeds', async () => {
  const outcome = await run(handler, { context: { a: 1 }{{if .After}}, results: { {{.After}}: { b: 2 } }{{end}} });
  assert.equal(outcome.kind, 'success', outcome.failure?.message);
  assert.deepEqual(outcome.result.context, { a: 1 });
{{- if .After}}
  assert.deepEqual(outcome.result.before, { b: 2 });
{{- end}}
});

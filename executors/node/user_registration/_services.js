'use strict';

// The services that a registration talks to, simulated without a network. They take a request and give a response,
// and a request with the same idempotency key creates the same thing.

const { createHash } = require('node:crypto');

const EXISTING_USER = { user_id: 'user_grace', email: 'grace@example.com', name: 'Grace Hopper', plan: 'pro' };

const ROUTES = [
  ['POST', /^\/users$/, createUser],
  ['PATCH', /^\/users\/[^/]+\/status$/, ({ body }) => respond(200, body)],
  ['POST', /^\/profiles$/, (request) => created('profile_id', 'profile', request)],
  ['POST', /^\/preferences$/, (request) => created('preferences_id', 'prefs', request)],
  ['POST', /^\/welcome-sequences$/, startSequence],
];

function answer(request) {
  const route = ROUTES.find(([method, path]) => method === request.method && path.test(request.path));
  return route ? route[2](request) : respond(404, {});
}

function createUser(request) {
  if (request.body.email === EXISTING_USER.email) return respond(409, { existing_user: EXISTING_USER });
  return created('user_id', 'user', request);
}

function startSequence(request) {
  const emails = request.body.plan === 'free' ? ['welcome', 'first_steps'] : ['welcome', 'first_steps', 'your_plan'];
  const response = created('sequence_id', 'sequence', request);
  response.body.email_ids = emails.map((email) => id(email, request));
  return response;
}

function created(key, prefix, request) {
  return respond(201, { ...request.body, [key]: id(prefix, request), created_at: new Date().toISOString() });
}

function id(prefix, { idempotencyKey }) {
  return `${prefix}_${createHash('sha256').update(`${prefix}:${idempotencyKey}`).digest('hex').slice(0, 12)}`;
}

function respond(status, body, headers = {}) {
  return { status, body, headers };
}

module.exports = { answer, respond };

'use strict';

const { PermanentError } = require('tasker');
const { call, correlationId, plan, requirePresent } = require('./_client');

// Creates the account. A user who is there already, and is the same person, counts as created.
module.exports = async function createUserAccount(task, sequence, step) {
  const { email, name, phone, company, referral_code, source } = task.context.user_info ?? {};
  requirePresent(email, 'MISSING_EMAIL', 'user_info has no email');
  requirePresent(name, 'MISSING_NAME', 'user_info has no name');
  const user = { email, name, plan: plan(task), phone, company, referral_code, source };

  const response = await call(task, step, { path: '/users', body: user, expected: [201, 409] });
  const existing = response.status === 409;
  const account = existing ? sameUser(user, response.body.existing_user) : response.body;

  return {
    user_id: requirePresent(account.user_id, 'MISSING_USER_ID_IN_RESPONSE', 'the user service sent no user_id'),
    email,
    created_at: account.created_at ?? new Date().toISOString(),
    correlation_id: correlationId(task),
    service_response_time: response.milliseconds,
    status: existing ? 'already_exists' : 'created',
  };
};

function sameUser(wanted, existing) {
  const same = ['email', 'name', 'plan'].every((key) => wanted[key] === existing?.[key]);
  if (same) return existing;
  throw new PermanentError(`${wanted.email} belongs to another user`, { errorCode: 'USER_CONFLICT' });
}

'use strict';

const { call, correlationId, plan, requirePresent, userId } = require('./_client');

// Creates the billing profile of the new user. One that is there already is as good as a new one.
module.exports = async function setupBillingProfile(task, sequence, step) {
  const user_id = userId(sequence);
  const { payment_method, billing_address } = task.context.billing_info ?? {};
  const profile = { user_id, plan: plan(task), payment_method, billing_address };

  const response = await call(task, step, { path: '/profiles', body: profile, expected: [201, 409] });
  const existing = response.status === 409;
  const profile_id = existing ? `existing_profile_${user_id}` : response.body.profile_id;

  return {
    profile_id: requirePresent(profile_id, 'MISSING_PROFILE_ID_IN_RESPONSE', 'the billing service sent no profile_id'),
    user_id,
    plan: profile.plan,
    payment_method: payment_method ?? null,
    correlation_id: correlationId(task),
    status: existing ? 'already_exists' : 'created',
  };
};

'use strict';

const { PermanentError } = require('tasker');
const { call, userId } = require('./_client');

// Marks the registration as complete, with the outcome of each step before this one.
module.exports = async function updateUserStatus(task, sequence, step) {
  const user_id = userId(sequence);
  const payload = {
    user_id,
    status: 'registration_complete',
    completed_steps: sequence.steps.map((earlier) => earlier.name),
    step_details: Object.fromEntries(sequence.steps.map((earlier) => [earlier.name, earlier.results?.status ?? null])),
    completion_timestamp: new Date().toISOString(),
  };

  const path = `/users/${encodeURIComponent(user_id)}/status`;
  const response = await call(task, step, { method: 'PATCH', path, body: payload, expected: [200, 404] });
  if (response.status === 404) {
    throw new PermanentError(`the user service knows no user ${user_id}`, { errorCode: 'USER_NOT_FOUND' });
  }
  return payload;
};

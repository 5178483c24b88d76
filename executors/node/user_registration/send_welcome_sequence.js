'use strict';

const { call, correlationId, plan, requirePresent, userId } = require('./_client');

// Starts the mails that greet a new user.
module.exports = async function sendWelcomeSequence(task, sequence, step) {
  const user_id = userId(sequence);
  const body = { user_id, plan: plan(task), email: task.context.user_info?.email };
  requirePresent(body.email, 'MISSING_EMAIL', 'user_info has no email');

  const response = await call(task, step, { path: '/welcome-sequences', body, expected: [201] });
  const { sequence_id, email_ids = [] } = response.body;

  return {
    sequence_id: requirePresent(
      sequence_id,
      'MISSING_SEQUENCE_ID_IN_RESPONSE',
      'the notification service sent no sequence_id',
    ),
    user_id,
    plan: body.plan,
    emails_sent: email_ids.length,
    email_ids,
    correlation_id: correlationId(task),
    status: 'started',
  };
};

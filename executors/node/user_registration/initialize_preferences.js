'use strict';

const { call, correlationId, requirePresent, userId } = require('./_client');

const DEFAULTS = { marketing_emails: false, product_updates: false, newsletter: false };

// Stores what the user wants to hear about. Preferences that are there already stay as they are.
module.exports = async function initializePreferences(task, sequence, step) {
  const user_id = userId(sequence);
  const preferences = { ...DEFAULTS, ...task.context.preferences };

  const body = { user_id, preferences };
  const response = await call(task, step, { path: '/preferences', body, expected: [201, 409] });
  const existing = response.status === 409;
  const preferences_id = existing ? `existing_prefs_${user_id}` : response.body.preferences_id;

  return {
    preferences_id: requirePresent(
      preferences_id,
      'MISSING_PREFERENCES_ID_IN_RESPONSE',
      'the preferences service sent no preferences_id',
    ),
    user_id,
    preferences,
    correlation_id: correlationId(task),
    status: existing ? 'already_exists' : 'created',
  };
};

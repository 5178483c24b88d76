'use strict';

// The reasons for a cancel. A thread receives the index of the reason, because shared memory holds numbers only.
module.exports = ['user', 'timeout', 'lease_lost', 'shutdown'];

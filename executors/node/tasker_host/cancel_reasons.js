'use strict';

// The reasons for a cancel. A thread is told its place in this list, for numbers are all that threads share.
module.exports = ['user', 'timeout', 'lease_lost', 'shutdown'];

'use strict';

// Unit tests in ES modules find `tasker` and `tasker/testing` after `node --require THIS_FILE --test …`: import does
// not look into NODE_PATH.

const { forImport, forRequire } = require('../sdk_resolution');

forRequire();
forImport();

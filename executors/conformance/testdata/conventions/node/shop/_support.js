'use strict';

exports.answer = (config) => ({ config });

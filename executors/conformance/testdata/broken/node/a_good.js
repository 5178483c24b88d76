'use strict';

exports.handlers = { GoodHandler: () => 'first' };

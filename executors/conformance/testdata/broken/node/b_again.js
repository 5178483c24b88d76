'use strict';

exports.handlers = { GoodHandler: () => 'second' };

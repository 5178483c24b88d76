'use strict';

exports.process = () => null;

function boom() {
  throw new RangeError('no such setting');
}
boom();

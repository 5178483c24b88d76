'use strict';

const { answer } = require('./_support');

class Base {
  process() {
    return 'inherited';
  }
}

exports.ConfiguredHandler = class {
  constructor({ config }) {
    this.config = config;
  }

  process() {
    return answer(this.config);
  }
};
exports.PlainHandler = class extends Base {};
exports.NotServed = class {};
exports.limit = 3;
exports.process = () => 'module';
exports.decorated = async () => 'decorated';
exports.renamed = Object.assign(() => 'renamed', { handlerName: 'Renamed::Handler' });
exports.handlers = { 'Any::Name': () => 'named' };

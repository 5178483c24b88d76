'use strict';

module.exports = class ChargeCard {
  process() {
    return 'charged';
  }
};

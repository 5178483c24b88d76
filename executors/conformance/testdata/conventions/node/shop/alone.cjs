'use strict';

module.exports = () => 'alone';

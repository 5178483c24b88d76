'use strict';

exports.process = (task => {

'use strict';

// Where the main thread is, seen from another one through Node's inspector, which opens no port for that.

const { Session } = require('node:inspector');

let looking = false; // two sessions would pause what the other one evaluates

// Calls back with the frames of the main thread, innermost first, none when it waits for events; and with what expression, which
// is evaluated there, comes to. Code that runs has pauseMs to come to a stop. Does nothing while it looks already.
function look(expression, pauseMs, callback) {
  if (looking) return;
  looking = true;
  const session = new Session();
  const urls = new Map();
  let stopped = false;
  session.connectToMainThread();
  const timer = setTimeout(() => {
    stopped = true;
    session.post('Debugger.disable'); // or what is evaluated next would be paused, for ever
    evaluate(session, expression, (value) => callback([], value));
  }, pauseMs);
  session.on('Debugger.scriptParsed', ({ params }) => urls.set(params.scriptId, params.url));
  session.once('Debugger.paused', ({ params }) => {
    if (stopped) return;
    clearTimeout(timer);
    const frames = params.callFrames.map((frame) => described(frame, urls.get(frame.location.scriptId)));
    evaluate(session, expression, (value) => callback(frames, value));
  });
  session.post('Debugger.enable');
  session.post('Debugger.pause');
}

function described({ functionName, location }, url) {
  return `at ${functionName || '(anonymous)'} (${String(url).replace('file://', '')}:${location.lineNumber + 1})`;
}

function evaluate(session, expression, callback) {
  session.post('Runtime.evaluate', { expression, silent: true }, (error, { result } = {}) => {
    callback(result?.value);
    session.disconnect();
    looking = false;
  });
}

module.exports = { look };

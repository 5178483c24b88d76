'use strict';

// Reads the stack of the main thread from another thread, through Node's inspector, which opens no port for that.

const { Session } = require('node:inspector');

let active = false; // two sessions would pause each other's evaluation

// Calls back with the frames of the main thread, innermost first, or none if it waits for events, and with the value of
// the expression there. Running code has pauseMs to pause. Has no effect while another call is active.
function readStack(expression, pauseMs, callback) {
  if (active) return;
  active = true;
  const session = new Session();
  const urls = new Map();
  let stopped = false;
  session.connectToMainThread();
  const timer = setTimeout(() => {
    stopped = true;
    session.post('Debugger.disable'); // otherwise the next evaluation would be paused
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
    active = false;
  });
}

module.exports = { readStack };

exports.process = async () => (await import('tasker')).PermanentError === require('tasker').PermanentError;

/**
 * Moves message and stack trace of a failure into a payload, which the payload codec encrypts.
 * CommonJS: Temporal's SDK loads it by `require` in the worker and in clients, and bundles it with the workflow code.
 */
const { DefaultFailureConverter } = require('@temporalio/common');

exports.failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });

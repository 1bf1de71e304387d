/** Reasons why a payload is not decoded. Messages name ids, never content. */

export type CodecProblem =
  'key_missing' | 'plaintext_refused' | 'other_namespace' | 'other_workflow' | 'malformed' | 'not_authentic';

export class CodecError extends Error {
  override readonly name = 'CodecError';
  readonly code: CodecProblem;

  constructor(code: CodecProblem, message: string) {
    super(message);
    this.code = code;
  }
}

/** Why a queue can't be counted now; the message is for a person. */
export class CountRefused extends Error {
  readonly code: 'running' | 'unavailable' | 'not-permitted';
  constructor(code: CountRefused['code'], message: string) {
    super(message);
    this.name = 'CountRefused';
    this.code = code;
  }
}

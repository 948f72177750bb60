// Why a captioner can't answer now.

export class Trouble extends Error {
  /**
   * @param {'gone' | 'busy' | 'key' | 'refused'} kind `gone`: nobody answers; `busy`: come back in `seconds`;
   *   `key`: a key is asked for; `refused`: the request will never be answered
   */
  constructor(kind, message, { seconds = 2, code = '' } = {}) {
    super(message);
    this.kind = kind;
    this.seconds = seconds;
    this.code = code;
  }
}

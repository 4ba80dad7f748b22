/** The last answers, oldest use out first; a Map keeps its keys in the order of insertion. */
export class AnswerCache<Answer> {
  readonly #capacity: number;
  readonly #answers = new Map<string, Answer>();

  /** `capacity`: answers kept; 0 keeps none. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get(key: string): Answer | undefined {
    const answer = this.#answers.get(key);
    if (answer !== undefined) this.set(key, answer);
    return answer;
  }

  set(key: string, answer: Answer): void {
    this.#answers.delete(key);
    this.#answers.set(key, answer);
    if (this.#answers.size <= this.#capacity) return;
    const [oldest] = this.#answers.keys();
    this.#answers.delete(oldest!);
  }
}

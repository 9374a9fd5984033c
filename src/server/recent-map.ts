/** A map of bounded size: for a new key, the one that was set longest ago is forgotten. */
export class RecentMap<K, V> extends Map<K, V> {
  readonly #most: number;

  /** @param most how many keys are kept. */
  constructor(most: number) {
    super();
    this.#most = most;
  }

  /** Makes the key the last one, also if it was there before. */
  override set(key: K, value: V): this {
    this.delete(key);
    super.set(key, value);
    if (this.size > this.#most) this.delete(this.keys().next().value!);
    return this;
  }
}

/** Where a server listens. */
export interface ListeningAddress {
  /** The local address; `0.0.0.0` and `::` stand for all. */
  readonly address: string;
  readonly port: number;
  readonly family: 'ipv4' | 'ipv6';
}

/** Where a server listens. */
export interface ListeningAddress {
  readonly address: string;
  readonly port: number;
  readonly family: 'ipv4' | 'ipv6';
}

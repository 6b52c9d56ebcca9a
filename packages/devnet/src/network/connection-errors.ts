/** What a Fabric node says of another one that cannot be reached: grpc-go's texts, as they stand in error details. */

/** Nobody listens there. */
export function connectionRefused(address: string): string {
  return `rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp ${address}: connect: connection refused"`;
}

/** The other one went away during the call. */
export const CONNECTION_LOST = 'rpc error: code = Unavailable desc = error reading from server: EOF';

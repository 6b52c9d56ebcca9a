import type { LedgerIdentity } from '../identity/signer.ts';
import type { LedgerLimits } from '../limits.ts';

/** Where the gateway is and as whom to use it. */
export interface GatewayOptions extends LedgerLimits {
  /** `host:port` of a peer's gateway. */
  readonly endpoint: string;
  /** The TLS CA that certified the gateway. */
  readonly tlsRootPem: string;
  /** Name to expect in the gateway's certificate, when it is not the host of `endpoint`. */
  readonly tlsServerName?: string;
  readonly identity: LedgerIdentity;
  readonly channel: string;
  readonly chaincode: string;
}

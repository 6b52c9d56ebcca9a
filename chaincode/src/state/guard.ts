import { Refusal } from '../errors.ts';

/** How far a transaction's time may be from this endorser's clock. */
export const maximumSkewMs = 5 * 60_000;

/**
 * Refuses a transaction whose claimed time is more than five minutes from this endorser's clock. The only use of a clock in this
 * chaincode: it can only refuse, never store, so it cannot make the payloads of two endorsers differ (main layer, "Time").
 *
 * @throws `message-stale`
 */
export function guardTransactionTime(claimed: {
  readonly seconds: { toNumber(): number };
  readonly nanos: number;
}): void {
  const claimedMs = claimed.seconds.toNumber() * 1000 + Math.trunc(claimed.nanos / 1_000_000);
  if (Math.abs(Date.now() - claimedMs) > maximumSkewMs) {
    throw new Refusal('message-stale', { maximumSkewMs, reason: 'transaction-time' });
  }
}

import { status } from '@grpc/grpc-js';
import { GatewayError, type Commit } from '@hyperledger/fabric-gateway';
import { gateway as messages, msp } from '@hyperledger/fabric-protos';
import { validationCodeName } from '../block/validation-code.ts';
import { fromGatewayFailure } from '../errors/gateway-failure.ts';
import type { Slots } from '../flow/slots.ts';
import type { TransactionStatus } from '../ledger.ts';

const deadlineExceeded: number = status.DEADLINE_EXCEEDED;

/** An unsigned question after a transaction's status, for `Gateway.newCommit`. */
export function commitRequestBytes(of: {
  readonly channel: string;
  readonly txId: string;
  readonly mspId: string;
  readonly certificatePem: string;
}): Uint8Array {
  const identity = new msp.SerializedIdentity();
  identity.setMspid(of.mspId);
  identity.setIdBytes(Buffer.from(of.certificatePem));
  const request = new messages.CommitStatusRequest();
  request.setChannelId(of.channel);
  request.setTransactionId(of.txId);
  request.setIdentity(identity.serializeBinary());
  const signed = new messages.SignedCommitStatusRequest();
  signed.setRequest(request.serializeBinary());
  return signed.serializeBinary();
}

/**
 * One question; undefined when the transaction is in no block yet after `waitMs`.
 *
 * @throws WaymarkError `unavailable` when the peer did not answer otherwise
 */
export async function askStatus(commit: Commit, slots: Slots, waitMs: number): Promise<TransactionStatus | undefined> {
  const txId = commit.getTransactionId();
  try {
    const answer = await slots.run(() => commit.getStatus({ deadline: Date.now() + waitMs }));
    return {
      txId,
      blockNumber: answer.blockNumber,
      valid: answer.successful,
      validationCode: validationCodeName(answer.code),
    };
  } catch (error) {
    if (error instanceof GatewayError && error.code === deadlineExceeded) return undefined;
    throw fromGatewayFailure(error, { txId });
  }
}

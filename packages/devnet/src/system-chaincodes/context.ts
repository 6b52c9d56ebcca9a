import type { peer } from '@hyperledger/fabric-protos';
import type { Resource } from '../access/channel-access.ts';
import type { LocalPolicy } from '../access/local-access.ts';
import type { UnpackedProposal } from '../endorser/proposal.ts';
import type { PeerLedger } from '../ledger/ledger.ts';
import { SystemCallFailed } from './system-response.ts';

/** What the chaincodes of a peer itself know of the peer. */
export interface SystemChaincodeContext {
  /** The peer's organisation. */
  readonly mspId: string;
  readonly ledger: PeerLedger;
  /** Throws when the proposal's creator may not use the resource on the channel. */
  readonly checkChannelAccess: (resource: Resource, proposal: UnpackedProposal) => void;
  /** Throws when the proposal's creator is not that in the peer's own organisation. */
  readonly checkLocalAccess: (policy: LocalPolicy, proposal: UnpackedProposal) => void;
  readonly installed: () => readonly InstalledChaincode[];
}

/** A chaincode that the peer has a server for. */
export interface InstalledChaincode {
  readonly name: string;
  /** What it registered as; undefined as long as it has not. */
  readonly packageId: string | undefined;
}

/** The chaincode that a proposal calls, for those that answer clients only. Throws SystemCallFailed. */
export function invokedName(proposal: UnpackedProposal): string {
  if (proposal.invokedName === undefined) {
    throw new SystemCallFailed('Failed to identify the called chaincode: chaincode id is nil');
  }
  return proposal.invokedName;
}

/** Arguments of a call as text; those that are bytes are read from the input. */
export function textArgument(input: peer.ChaincodeInput, index: number): string {
  return Buffer.from(input.getArgsList_asU8()[index] ?? []).toString('utf8');
}

import { peer } from '@hyperledger/fabric-protos';
import type { ChannelConfig } from '../config/channel-config.ts';
import type { PeerLedger } from '../ledger/ledger.ts';
import type { DefinitionReader } from '../lifecycle/definition-reader.ts';
import type { MspRegistry, SigningIdentity } from '../msp/msp.ts';
import { SYSTEM_CHAINCODES, type ChaincodeSupport } from '../shim/chaincode-support.ts';
import { TxSimulator } from '../simulation/tx-simulator.ts';
import { buildChaincodeInterest } from './chaincode-interest.ts';
import { checkFilters, checkProposal } from './proposal-checks.ts';
import { buildEndorsement, buildPeerError, buildProposalResponsePayload } from './proposal-response.ts';
import { unpackProposal, type UnpackedProposal } from './proposal.ts';
import { messageOf } from '../errors.ts';

/** From this status on a chaincode's answer is not endorsed. */
const ERROR_THRESHOLD = 400;
const ERROR = 500;

/** One channel as the endorser sees it. */
export interface EndorserChannel {
  readonly ledger: PeerLedger;
  readonly config: () => ChannelConfig;
  readonly chaincodes: ChaincodeSupport;
  readonly readDefinition: DefinitionReader;
  /** Throws when the creator may not propose (Writers). */
  readonly checkPropose: (proposal: peer.SignedProposal, creator: Uint8Array) => void;
}

/** A chaincode of the peer itself, such as qscc. */
export interface SystemChaincode {
  execute(proposal: UnpackedProposal): Promise<peer.Response>;
}

export interface EndorserParams {
  readonly identity: SigningIdentity;
  /** Undefined: the peer is not in that channel. */
  readonly channel: (channelId: string) => EndorserChannel | undefined;
  /** The peer's own MSP, for proposals without a channel. */
  readonly localMsps: () => MspRegistry;
  readonly systemChaincodes: ReadonlyMap<string, SystemChaincode>;
  readonly nowMs: () => number;
}

/** A proposal that the peer refuses: gRPC clients get an error, and no response. */
export class ProposalRefused extends Error {
  /** Whether Fabric's authentication filters refused it, before the endorser saw it. */
  readonly byFilter: boolean;

  constructor(message: string, options: { byFilter: boolean; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ProposalRefused';
    this.byFilter = options.byFilter;
  }
}

export interface ProposalOptions {
  /** The caller wants the answer only, no endorsement: saves a signature. */
  readonly withoutEndorsement?: boolean;
}

/** `protos.Endorser` as a function. */
export interface Endorser {
  /** Throws ProposalRefused; every other failure is in the response, as on Fabric. */
  processProposal(signedProposal: peer.SignedProposal, options?: ProposalOptions): Promise<peer.ProposalResponse>;
}

/** Fabric: core/endorser/endorser.go. */
export function createEndorser(params: EndorserParams): Endorser {
  return {
    processProposal: async (signedProposal, options = {}) => {
      const proposal = refusing(false, () => unpackProposal(signedProposal));
      const channel = proposal.channelId === '' ? undefined : params.channel(proposal.channelId);
      const msps = channel?.config().msps ?? params.localMsps();
      refusing(true, () => checkFilters(proposal, msps, params.nowMs()));
      if (proposal.channelId !== '' && channel === undefined) {
        return buildPeerError(`channel '${proposal.channelId}' not found`);
      }
      refusing(false, () => checkCreator(proposal, msps));
      if (channel !== undefined) await checkUnique(proposal, channel);
      if (!SYSTEM_CHAINCODES.has(proposal.chaincodeName)) {
        refusing(false, () => channel?.checkPropose(signedProposal, proposal.signatureHeader.getCreator_asU8()));
      }
      try {
        return SYSTEM_CHAINCODES.has(proposal.chaincodeName)
          ? await runSystemChaincode(proposal, params)
          : await endorse(proposal, channel, options.withoutEndorsement === true ? undefined : params.identity);
      } catch (error) {
        return buildPeerError(messageOf(error));
      }
    },
  };
}

function checkCreator(proposal: UnpackedProposal, msps: MspRegistry): void {
  try {
    checkProposal(proposal, msps);
  } catch (cause) {
    throw new Error(`error validating proposal: ${messageOf(cause)}`, { cause });
  }
}

async function checkUnique(proposal: UnpackedProposal, channel: EndorserChannel): Promise<void> {
  if ((await channel.ledger.getTransaction(proposal.txId)) !== undefined) {
    const creator = Buffer.from(proposal.signatureHeader.getCreator_asU8()).toString('hex');
    throw new ProposalRefused(`duplicate transaction found [${proposal.txId}]. Creator [${creator}]`, {
      byFilter: false,
    });
  }
}

async function endorse(
  proposal: UnpackedProposal,
  channel: EndorserChannel | undefined,
  identity: SigningIdentity | undefined,
): Promise<peer.ProposalResponse> {
  const { chaincodeName, channelId, txId } = proposal;
  const notDefined = `make sure the chaincode ${chaincodeName} has been successfully defined on channel ${channelId} and try again: chaincode ${chaincodeName} not found`;
  if (channel === undefined) throw new Error(notDefined);
  const snapshot = await channel.ledger.snapshot();
  const simulator = new TxSimulator(txId, snapshot);
  try {
    const definition = await channel.readDefinition(snapshot, chaincodeName);
    if (definition === undefined) throw new Error(notDefined);
    const creator = proposal.signatureHeader.getCreator_asU8();
    const transaction = { channelId, txId, simulator, signedProposal: proposal.signedProposal, creator };
    const executed = await inSimulation(channel.chaincodes.execute(transaction, chaincodeName, proposal.input));
    const status = executed.response.getStatus();
    const results = simulator.results();
    const payload = buildProposalResponsePayload({
      proposalHash: proposal.proposalHash,
      chaincodeName,
      chaincodeVersion: definition.version,
      response: executed.response,
      event: status >= ERROR_THRESHOLD ? undefined : executed.event,
      readWriteSet: results.readWriteSet,
    });
    const answer = new peer.ProposalResponse();
    answer.setResponse(executed.response);
    if (status >= ERROR_THRESHOLD && status < ERROR) return answer;
    answer.setPayload(payload);
    answer.setInterest(buildChaincodeInterest(results));
    if (status >= ERROR) return answer;
    answer.setVersion(1);
    if (identity !== undefined) answer.setEndorsement(buildEndorsement(payload, identity));
    return answer;
  } finally {
    await simulator.done();
  }
}

async function inSimulation<T>(execution: Promise<T>): Promise<T> {
  try {
    return await execution;
  } catch (cause) {
    throw new Error(`error in simulation: ${messageOf(cause)}`, { cause });
  }
}

async function runSystemChaincode(proposal: UnpackedProposal, params: EndorserParams): Promise<peer.ProposalResponse> {
  const chaincode = params.systemChaincodes.get(proposal.chaincodeName);
  if (chaincode === undefined) {
    throw new Error(`UNIMPLEMENTED: the system chaincode ${proposal.chaincodeName} is not supported by devnet`);
  }
  const answer = new peer.ProposalResponse();
  answer.setResponse(await chaincode.execute(proposal));
  return answer;
}

function refusing<T>(byFilter: boolean, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    throw new ProposalRefused(messageOf(cause), { byFilter, cause });
  }
}

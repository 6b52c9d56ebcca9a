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
/** The version that Fabric gives to the chaincodes of the peer itself. */
const SYSTEM_CHAINCODE_VERSION = 'syscc';

/** One channel as the endorser sees it. */
export interface EndorserChannel {
  readonly ledger: Pick<PeerLedger, 'snapshot' | 'getTransaction'>;
  readonly config: () => ChannelConfig;
  readonly chaincodes: ChaincodeSupport;
  readonly readDefinition: DefinitionReader;
  /** Throws when the creator may not propose (Writers). */
  readonly checkPropose: (proposal: peer.SignedProposal) => void;
}

/** A chaincode of the peer itself, such as qscc. */
export interface SystemChaincode {
  /** Whether it reads the channel's state, which then goes into the read set; qscc and cscc read the ledger past it. */
  readonly readsState: boolean;
  /** `simulator` is there for chaincodes that read state, on a channel. A failure is in the response. */
  execute(proposal: UnpackedProposal, simulator: TxSimulator | undefined): Promise<peer.Response>;
}

export interface EndorserParams {
  readonly identity: SigningIdentity;
  /** Undefined: the peer is not in that channel. */
  readonly channel: (channelId: string) => EndorserChannel | undefined;
  /** The peer's own MSP, for proposals without a channel. */
  readonly localMsps: () => MspRegistry;
  /** All MSPs that the peer knows: most creators are of one of them, and their certificates are read already. */
  readonly knownMsps: () => MspRegistry;
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
  /** The caller wants the chaincode's answer only: saves the read-write set and a signature. */
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
      refusing(true, () => checkFilters(signedProposal, params.knownMsps(), params.nowMs()));
      const proposal = refusing(false, () => unpackProposal(signedProposal));
      const channel = proposal.channelId === '' ? undefined : params.channel(proposal.channelId);
      const msps = channel?.config().msps ?? params.localMsps();
      if (proposal.channelId !== '' && channel === undefined) {
        return buildPeerError(`channel '${proposal.channelId}' not found`);
      }
      refusing(false, () => checkCreator(proposal, msps));
      if (channel !== undefined) await checkUnique(proposal, channel);
      if (!SYSTEM_CHAINCODES.has(proposal.chaincodeName)) {
        refusing(false, () => channel?.checkPropose(signedProposal));
      }
      try {
        const identity = options.withoutEndorsement === true ? undefined : params.identity;
        return SYSTEM_CHAINCODES.has(proposal.chaincodeName)
          ? await runSystemChaincode(proposal, channel, params.systemChaincodes, identity)
          : await endorse(proposal, channel, identity);
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
  const advice = `make sure the chaincode ${chaincodeName} has been successfully defined on channel ${channelId} and try again`;
  if (channel === undefined) throw new Error(`${advice}: could not get channel config for channel '${channelId}'`);
  const snapshot = await channel.ledger.snapshot();
  const simulator = new TxSimulator(txId, snapshot);
  try {
    const definition = await channel.readDefinition(snapshot, chaincodeName);
    if (definition === undefined) throw new Error(`${advice}: chaincode ${chaincodeName} not found`);
    if (!channel.chaincodes.has(chaincodeName)) {
      throw new Error(`${advice}: chaincode definition for '${chaincodeName}' exists, but chaincode is not installed`);
    }
    const transaction = { channelId, txId, simulator, signedProposal: proposal.signedProposal };
    const { response, event } = await inSimulation(() =>
      channel.chaincodes.execute(transaction, chaincodeName, proposal.input),
    );
    if (identity === undefined && response.getStatus() < ERROR_THRESHOLD) return buildUnendorsed(response);
    const { readWriteSet, interest } = await inSimulation(() => Promise.resolve(resultsOf(simulator)));
    const chaincodeVersion = definition.version;
    return buildAnswer({ proposal, chaincodeVersion, response, event, readWriteSet, interest }, identity);
  } finally {
    await simulator.done();
  }
}

async function inSimulation<T>(execute: () => Promise<T>): Promise<T> {
  try {
    return await execute();
  } catch (cause) {
    throw new Error(`error in simulation: ${messageOf(cause)}`, { cause });
  }
}

async function runSystemChaincode(
  proposal: UnpackedProposal,
  channel: EndorserChannel | undefined,
  systemChaincodes: ReadonlyMap<string, SystemChaincode>,
  identity: SigningIdentity | undefined,
): Promise<peer.ProposalResponse> {
  const { chaincodeName } = proposal;
  const simulator =
    channel !== undefined && systemChaincodes.get(chaincodeName)?.readsState === true
      ? new TxSimulator(proposal.txId, await channel.ledger.snapshot())
      : undefined;
  try {
    const response = await inSimulation(() =>
      executeSystemChaincode(systemChaincodes, chaincodeName, proposal, simulator),
    );
    const { readWriteSet, interest } = simulator === undefined ? NOTHING_READ : resultsOf(simulator);
    const chaincodeVersion = SYSTEM_CHAINCODE_VERSION;
    return buildAnswer({ proposal, chaincodeVersion, response, event: undefined, readWriteSet, interest }, identity);
  } finally {
    await simulator?.done();
  }
}

/** Rejects for a chaincode that Fabric's peers have and devnet's do not. */
export function executeSystemChaincode(
  systemChaincodes: ReadonlyMap<string, SystemChaincode>,
  name: string,
  proposal: UnpackedProposal,
  simulator: TxSimulator | undefined,
): Promise<peer.Response> {
  const chaincode = systemChaincodes.get(name);
  if (chaincode === undefined) {
    throw new Error(`UNIMPLEMENTED: the system chaincode ${name} is not supported by devnet`);
  }
  return chaincode.execute(proposal, simulator);
}

const NOTHING_READ = { readWriteSet: new Uint8Array(), interest: undefined };

function resultsOf(simulator: TxSimulator): { readWriteSet: Uint8Array; interest: peer.ChaincodeInterest } {
  const results = simulator.results();
  return { readWriteSet: results.readWriteSet, interest: buildChaincodeInterest(results) };
}

function buildUnendorsed(response: peer.Response): peer.ProposalResponse {
  const answer = new peer.ProposalResponse();
  answer.setResponse(response);
  return answer;
}

/** What a chaincode's answer becomes: endorsed below status 400, and never without a channel. */
function buildAnswer(
  outcome: {
    readonly proposal: UnpackedProposal;
    readonly chaincodeVersion: string;
    readonly response: peer.Response;
    readonly event: peer.ChaincodeEvent | undefined;
    readonly readWriteSet: Uint8Array;
    readonly interest: peer.ChaincodeInterest | undefined;
  },
  identity: SigningIdentity | undefined,
): peer.ProposalResponse {
  const { proposal, response, event } = outcome;
  const status = response.getStatus();
  const answer = buildUnendorsed(response);
  const unendorsed = proposal.channelId === '' || status >= ERROR_THRESHOLD;
  if (unendorsed && status < ERROR) return answer;
  const payload = buildProposalResponsePayload({
    proposalHash: proposal.proposalHash,
    chaincodeName: proposal.chaincodeName,
    chaincodeVersion: outcome.chaincodeVersion,
    response,
    event: unendorsed ? undefined : event,
    readWriteSet: outcome.readWriteSet,
  });
  answer.setPayload(payload);
  if (outcome.interest !== undefined) answer.setInterest(outcome.interest);
  if (unendorsed) return answer;
  answer.setVersion(1);
  if (identity !== undefined) answer.setEndorsement(buildEndorsement(payload, identity));
  return answer;
}

function refusing<T>(byFilter: boolean, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    throw new ProposalRefused(messageOf(cause), { byFilter, cause });
  }
}

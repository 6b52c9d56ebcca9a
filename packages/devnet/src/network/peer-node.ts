import { status, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import { discovery, gateway, peer } from '@hyperledger/fabric-protos';
import { checkAccess, type Resource } from '../access/channel-access.ts';
import { checkLocalAccess, createLocalMsps } from '../access/local-access.ts';
import { createPeerDeliverService } from '../deliver/peer-deliver-service.ts';
import type { DeliverContext } from '../deliver/deliver-session.ts';
import type { DiscoverablePeer } from '../discovery/context.ts';
import { createDiscoveryService } from '../discovery/discovery-service.ts';
import {
  createEndorser,
  executeSystemChaincode,
  ProposalRefused,
  type Endorser,
  type EndorserChannel,
} from '../endorser/endorser.ts';
import { partsOf } from '../endorser/proposal-parts.ts';
import { unpackProposal, type UnpackedProposal } from '../endorser/proposal.ts';
import { createGatewayService } from '../gateway/gateway-service.ts';
import type { GatewayEndorser, GatewayOrderer } from '../gateway/gateway-context.ts';
import type { PeerLedger } from '../ledger/ledger.ts';
import { createDefinitionReader } from '../lifecycle/definition-reader.ts';
import { validSigners } from '../policy/policy.ts';
import { createChaincodeSupport, type ChaincodeOfPeer, type ChaincodeSupport } from '../shim/chaincode-support.ts';
import { isSystemChaincode, createSystemChaincodes } from '../system-chaincodes/index.ts';
import { CONNECTION_LOST, connectionRefused } from './connection-errors.ts';
import { EventStreams } from './event-streams.ts';
import { serveGrpc, type GrpcEndpoint } from './grpc-server.ts';
import type { NodeMembership } from './membership.ts';
import { withOtherVersions } from './other-versions.ts';
import { messageOf } from '../errors.ts';

/** Whom a peer tells about the channel's peers and policies. */
const DISCOVERY_POLICY = '/Channel/Application/Writers';

/** Calls that a gateway serves at once, waiting commit statuses and event streams among them (Fabric's core.yaml). */
const GATEWAY_CONCURRENCY_LIMIT = 500;

export interface PeerNodeParams {
  readonly mspId: string;
  readonly membership: NodeMembership;
  readonly host: string;
  readonly port: number;
  readonly ledger: PeerLedger;
  readonly chaincodes: readonly ChaincodeOfPeer[];
  /** All peers of the network, this one among them; asked at each transaction. */
  readonly peers: () => readonly PeerNode[];
  readonly orderers: readonly GatewayOrderer[];
  readonly executeTimeoutMs?: number;
  readonly launchTimeoutMs?: number;
  readonly gatewayConcurrencyLimit?: number;
  readonly nowMs: () => number;
  readonly onChaincodeState?: (peer: PeerNode, name: string) => void;
  /** Whether endorsements are made from other versions than those in the ledger: a fault. */
  readonly readsOtherVersions?: () => boolean;
}

/** One peer: its own endpoint, key, ledger and chaincode streams. */
export interface PeerNode {
  readonly name: string;
  readonly hostName: string;
  readonly mspId: string;
  /** `host:port`. */
  readonly address: string;
  readonly membership: NodeMembership;
  readonly ledger: PeerLedger;
  readonly chaincodes: ChaincodeSupport;
  readonly endorser: Endorser;
  readonly eventStreams: EventStreams;
  /** Whether the endpoint is open. */
  readonly isOpen: boolean;
  /** Opens the endpoint. Throws DevnetError ADDRESS_IN_USE. */
  listen(): Promise<void>;
  /** Closes the endpoint and the chaincode streams; the ledger is its owner's. */
  close(): Promise<void>;
}

export function createPeerNode(params: PeerNodeParams): PeerNode {
  const { ledger, membership, nowMs } = params;
  const readDefinition = createDefinitionReader();
  const checkProposal = (resource: Resource, proposal: peer.SignedProposal) => {
    checkAccess(ledger.channelConfig, resource, partsOf(proposal).signed(proposal.getSignature_asU8()));
  };
  const chaincodes = createChaincodeSupport({
    chaincodes: params.chaincodes,
    checkChaincodeToChaincode: (_channelId, proposal) => checkProposal('peer/ChaincodeToChaincode', proposal),
    invokeSystemChaincode: (name, { signedProposal, simulator }, input) =>
      executeSystemChaincode(systemChaincodes, name, { ...unpackProposal(signedProposal), input }, simulator),
    ...(params.executeTimeoutMs === undefined ? {} : { executeTimeoutMs: params.executeTimeoutMs }),
    ...(params.launchTimeoutMs === undefined ? {} : { launchTimeoutMs: params.launchTimeoutMs }),
    onStateChange: (name) => params.onChaincodeState?.(node, name),
  });
  const { readsOtherVersions = () => false } = params;
  const endorserChannel: EndorserChannel = {
    ledger: {
      getTransaction: (txId) => ledger.getTransaction(txId),
      snapshot: async () => {
        const snapshot = await ledger.snapshot();
        return readsOtherVersions() ? withOtherVersions(snapshot) : snapshot;
      },
    },
    config: () => ledger.channelConfig,
    chaincodes,
    readDefinition,
    checkPropose: (proposal) => checkProposal('peer/Propose', proposal),
  };
  const localMsps = createLocalMsps(params.mspId, () => ledger.channelConfig.msps);
  const creatorOf = (proposal: UnpackedProposal) => proposal.signatureHeader.getCreator_asU8();
  const systemChaincodes = createSystemChaincodes({
    mspId: params.mspId,
    ledger,
    checkChannelAccess: (resource, proposal) => checkProposal(resource, proposal.signedProposal),
    checkLocalAccess: (policy, proposal) => checkLocalAccess(localMsps, policy, creatorOf(proposal)),
    installed: () =>
      chaincodes.names.map((name) => {
        const state = chaincodes.connection(name)?.state;
        return { name, packageId: state?.kind === 'ready' ? state.packageId : undefined };
      }),
  });
  const endorser = createEndorser({
    identity: membership.identity,
    channel: (channelId) => (channelId === ledger.channelId ? endorserChannel : undefined),
    localMsps: () => localMsps,
    knownMsps: () => ledger.channelConfig.msps,
    systemChaincodes,
    nowMs,
  });
  const gatewayEndorsers = new Map<PeerNode, GatewayEndorser>();
  /** Who is of an organisation that this peer's configuration does not have yet is nobody to it. */
  const peersOfChannel = () => {
    const { mspIds } = ledger.channelConfig.msps;
    return params.peers().filter(({ mspId }) => mspIds.includes(mspId));
  };
  const gatewayChannel = {
    config: () => ledger.channelConfig,
    ledger,
    readDefinition,
    endorsers: () => peersOfChannel().map((other) => memoised(gatewayEndorsers, other, () => toEndorser(other, node))),
    orderers: () => params.orderers,
  };
  const eventStreams = new EventStreams();
  let endpoint: GrpcEndpoint | undefined;
  let isOpen = false;
  const node: PeerNode = {
    name: membership.name,
    hostName: membership.hostName,
    mspId: params.mspId,
    address: `${params.host}:${params.port}`,
    membership,
    ledger,
    chaincodes,
    endorser,
    eventStreams,
    get isOpen() {
      return isOpen;
    },
    listen: async () => {
      const gatewayHandlers = createGatewayService({
        mspId: params.mspId,
        channel: (channelId) => (channelId === ledger.channelId ? gatewayChannel : undefined),
      });
      const deliverHandlers = createPeerDeliverService({
        blocks: deliverContext(ledger, 'event/Block', nowMs),
        filteredBlocks: deliverContext(ledger, 'event/FilteredBlock', nowMs),
      });
      endpoint = await serveGrpc({ host: params.host, port: params.port }, membership.tls, [
        { definition: peer.EndorserService, handlers: { processProposal: serveEndorser(endorser) } },
        {
          definition: gateway.GatewayService,
          handlers: { ...gatewayHandlers, chaincodeEvents: eventStreams.guard(gatewayHandlers.chaincodeEvents) },
          concurrencyLimit: params.gatewayConcurrencyLimit ?? GATEWAY_CONCURRENCY_LIMIT,
        },
        {
          definition: discovery.DiscoveryService,
          handlers: createDiscoveryService({
            channelId: ledger.channelId,
            channel: gatewayChannel,
            peers: () => peersOfChannel().map(toDiscoverable),
            checkChannelAccess: (signed) => {
              const { msps } = ledger.channelConfig;
              if (ledger.channelConfig.policy(DISCOVERY_POLICY).evaluate(validSigners([signed], msps))) return;
              throw new Error('the policy for discovery is not satisfied');
            },
            checkLocalAccess: (signed) => {
              if (validSigners([signed], localMsps).some(({ isAdmin }) => isAdmin)) return;
              throw new Error('the signer is no admin of the own organisation');
            },
          }),
        },
        {
          definition: peer.DeliverService,
          handlers: {
            ...deliverHandlers,
            deliver: eventStreams.guard(deliverHandlers.deliver),
            deliverFiltered: eventStreams.guard(deliverHandlers.deliverFiltered),
            deliverWithPrivateData: eventStreams.guard(deliverHandlers.deliverWithPrivateData),
          },
        },
      ]);
      isOpen = true;
    },
    close: async () => {
      isOpen = false;
      await endpoint?.close();
      chaincodes.close();
    },
  };
  return node;
}

/** `protos.Endorser/ProcessProposal`: a refusal is a gRPC error of code UNKNOWN, as Go makes of a plain error. */
function serveEndorser(endorser: Endorser) {
  return (
    call: ServerUnaryCall<peer.SignedProposal, peer.ProposalResponse>,
    callback: sendUnaryData<peer.ProposalResponse>,
  ): void => {
    endorser.processProposal(call.request).then(
      (response) => callback(null, response),
      (error: unknown) => {
        const details = messageOf(error);
        callback({ code: status.UNKNOWN, details });
      },
    );
  };
}

/** How one peer's gateway sees a peer. Another peer's refusals lose their response on the wire, which changes what they mean. */
function toEndorser(target: PeerNode, self: PeerNode): GatewayEndorser {
  const isLocal = target === self;
  return {
    address: target.address,
    mspId: target.mspId,
    isLocal,
    identity: self.ledger.channelConfig.msps.deserialize(target.membership.identity.serialized),
    height: () => target.ledger.height,
    hasChaincode: (name) => target.chaincodes.has(name) || isSystemChaincode(name),
    processProposal: async (signedProposal, options) => {
      if (!isLocal && !target.isOpen) return { error: connectionRefused(target.address), reachedEndorser: false };
      try {
        const response = await target.endorser.processProposal(signedProposal, options);
        return isLocal || target.isOpen ? { response } : { error: CONNECTION_LOST, reachedEndorser: false };
      } catch (error) {
        const message = messageOf(error);
        const refusedByEndorser = error instanceof ProposalRefused && !error.byFilter;
        return isLocal
          ? { error: message, reachedEndorser: refusedByEndorser }
          : { error: `rpc error: code = Unknown desc = ${message}`, reachedEndorser: false };
      }
    },
  };
}

function toDiscoverable(node: PeerNode): DiscoverablePeer {
  return {
    mspId: node.mspId,
    address: node.address,
    identity: node.membership.identity,
    height: () => node.ledger.height,
    chaincodes: node.chaincodes.names,
  };
}

function deliverContext(
  ledger: PeerLedger,
  resource: 'event/Block' | 'event/FilteredBlock',
  nowMs: () => number,
): DeliverContext {
  const channel = {
    blocks: ledger,
    configSequence: () => ledger.channelConfig.sequence,
    checkRead: (signed: Parameters<typeof checkAccess>[2]) => checkAccess(ledger.channelConfig, resource, signed),
    expiresAtMs: (identity: Uint8Array) => {
      try {
        return ledger.channelConfig.msps.deserialize(identity).notAfterMs;
      } catch {
        return undefined;
      }
    },
  };
  return { nowMs, channel: (channelId) => (channelId === ledger.channelId ? channel : undefined) };
}

function memoised<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}

import { createHash, randomBytes } from 'node:crypto';
import { gossip, msp } from '@hyperledger/fabric-protos';
import type { ChaincodeDefinition } from '../lifecycle/chaincode-definition.ts';
import type { DiscoverablePeer } from './context.ts';

/** When this process came up: gossip tells incarnations of a peer apart by it. */
const INCARNATION = Date.now() * 1e6;

/** SHA-256 over MSP id and certificate: how gossip names a peer (Fabric: internal/peer/gossip/mcs.go). */
function pkiIdOf(peer: DiscoverablePeer): Uint8Array {
  const identity = msp.SerializedIdentity.deserializeBinary(peer.identity.serialized);
  return createHash('sha256').update(identity.getMspid()).update(identity.getIdBytes_asU8()).digest();
}

/** That the peer is there, and where: signed by the peer. */
export function buildAliveEnvelope(peer: DiscoverablePeer): gossip.Envelope {
  const member = new gossip.Member();
  member.setEndpoint(peer.address);
  member.setPkiId(pkiIdOf(peer));
  const alive = new gossip.AliveMessage();
  alive.setMembership(member);
  alive.setTimestamp(now());
  const message = new gossip.GossipMessage();
  message.setTag(gossip.GossipMessage.Tag.EMPTY);
  message.setAliveMsg(alive);
  return sign(peer, message);
}

/** What the peer has of a channel: height and chaincodes, signed by the peer. */
export function buildStateInfoEnvelope(
  peer: DiscoverablePeer,
  channelId: string,
  definitions: readonly ChaincodeDefinition[],
): gossip.Envelope {
  const properties = new gossip.Properties();
  properties.setLedgerHeight(Number(peer.height()));
  properties.setChaincodesList(
    definitions
      .filter(({ name }) => peer.chaincodes.includes(name))
      .map(({ name, version }) => {
        const chaincode = new gossip.Chaincode();
        chaincode.setName(name);
        chaincode.setVersion(version);
        return chaincode;
      }),
  );
  const pkiId = pkiIdOf(peer);
  const state = new gossip.StateInfo();
  state.setTimestamp(now());
  state.setPkiId(pkiId);
  state.setChannelMac(createHash('sha256').update(pkiId).update(channelId).digest());
  state.setProperties(properties);
  const message = new gossip.GossipMessage();
  message.setNonce(randomBytes(4).readUInt32BE());
  message.setTag(gossip.GossipMessage.Tag.CHAN_OR_ORG);
  message.setStateInfo(state);
  return sign(peer, message);
}

let sequence = 0;

function now(): gossip.PeerTime {
  const time = new gossip.PeerTime();
  time.setIncNum(INCARNATION);
  time.setSeqNum(++sequence);
  return time;
}

function sign(peer: DiscoverablePeer, message: gossip.GossipMessage): gossip.Envelope {
  const payload = message.serializeBinary();
  const envelope = new gossip.Envelope();
  envelope.setPayload(payload);
  envelope.setSignature(peer.identity.sign(payload));
  return envelope;
}

import { generateKeyPairSync } from 'node:crypto';
import { base58btc } from 'multiformats/bases/base58';

/** The key by which a daemon is known in the swarm, as kubo's configuration holds it. */
export interface PeerIdentity {
  readonly peerId: string;
  /** The private key as libp2p writes it (protobuf), in base64. */
  readonly privateKey: string;
}

/** Protobuf of libp2p's `crypto.proto`: field 1 (type) is 1, Ed25519; field 2 (data) follows with its length. */
const privateKeyHead = Buffer.from([0x08, 0x01, 0x12, 0x40]);
const publicKeyHead = Buffer.from([0x08, 0x01, 0x12, 0x20]);
/** Multihash head of a peer id: the public key itself (identity hash, 36 bytes). */
const peerIdHead = Buffer.from([0x00, 0x24]);

/** A new Ed25519 identity. Its peer id is the multihash of its public key (libp2p peer-id specification). */
export function createPeerIdentity(): PeerIdentity {
  const key = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const seed = Buffer.from(key.d ?? '', 'base64url');
  const publicKey = Buffer.from(key.x ?? '', 'base64url');
  return {
    peerId: base58btc.baseEncode(Buffer.concat([peerIdHead, publicKeyHead, publicKey])),
    privateKey: Buffer.concat([privateKeyHead, seed, publicKey]).toString('base64'),
  };
}

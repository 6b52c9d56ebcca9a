export type { StoredBlock } from './blocks/stored-block.ts';
export { createPeers } from './create-peers.ts';
export { defaultPeersLimits, type PeersLimits } from './limits.ts';
export type { DropReason, PeerAddress, Peers, PeersEvents, PeersOptions, PeerStats } from './peers.ts';

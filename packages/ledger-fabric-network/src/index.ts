export { connectFabricNetwork } from './connect-fabric-network.ts';
export type { DiscoveryOptions, FabricNetworkOptions, NodeOptions, PeerOptions } from './options.ts';

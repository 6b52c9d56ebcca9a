export * from './content/compliance.ts';
export { findKubo, type KuboPeer, startKubo } from './kubo/kubo-peer.ts';

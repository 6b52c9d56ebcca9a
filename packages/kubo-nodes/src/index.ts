export type { KuboNodePlan, SwarmPeer } from './plan.ts';
export { startKuboNode, type KuboAuthorization, type KuboNode } from './start.ts';
export { createSwarmKey, ensureSwarmKey } from './swarm/swarm-key.ts';
export { kuboConfig, type KuboConfigParts } from './files/kubo-config.ts';
export { writeKuboFiles, type KuboNodeFiles } from './files/node-files.ts';
export {
  processRunner,
  type KuboRunner,
  type KuboRunOrder,
  type NodeExit,
  type NodeProcess,
  type ProcessRunnerOptions,
} from './nodes/runner.ts';
export { findKuboProgram, locateKubo, oldestKuboVersion, type KuboProgram } from './programs/program.ts';

export { blockBytesOf } from './channel/block-bytes.ts';
export { containersOf, type FolderContainers, removeContainers } from './docker/folder-containers.ts';
export { type AdditionalChaincode, type RunningChannel } from './channel/channel.ts';
export { type Consortium, type ConsortiumOptions, type RunningService, startConsortium } from './consortium.ts';
export { callControl } from './control/control-client.ts';
export { type ControlPlace, readControlPlace } from './control/control-file.ts';
export {
  beginNetworkFolder,
  type NetworkFolder,
  readNetworkFolder,
  removeNetworkFolder,
} from './control/network-folder.ts';
export { endOrphans } from './control/orphans.ts';
export {
  type Layout,
  layoutOf,
  type NodeFolder,
  programOf,
  serviceName,
  type ServiceKind,
  type ServiceNode,
} from './layout.ts';
export { ordererCount, ordererHostNames, orderingOrganisations } from './ordering.ts';
export { findRuntimeProblem, requireRuntime } from './platform.ts';
export { readPortPlan } from './port-plan.ts';
export { freePorts, untilListening } from './ports.ts';
export { type RunningProcess, startProcess } from './processes.ts';
export { type Runtime, runtimes } from './runtime.ts';
export { ledgerMembers } from './private-ledger.ts';
export { ledgerStatus, type LedgerStatus } from './status/ledgers.ts';
export { type NetworkStatus, readStatus } from './status/status.ts';
export { checkTopology, readTopology, type Topology, type TopologyOrganisation } from './topology.ts';

export { type AdditionalChaincode, type RunningChannel } from './channel/channel.ts';
export { type Runtime, runtimes } from './runtime.ts';
export { type Consortium, type ConsortiumOptions, type RunningService, startConsortium } from './consortium.ts';
export { type Layout, layoutOf, type NodeFolder, serviceName } from './layout.ts';
export { freePorts, untilListening } from './ports.ts';
export { type RunningProcess, startProcess } from './processes.ts';
export { ordererCount, ordererHostNames, orderingOrganisations, toleratedFaults } from './ordering.ts';
export { readTopology, type Topology, type TopologyOrganisation } from './topology.ts';

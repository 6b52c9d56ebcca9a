export {
  buildGenesisBlock,
  type ApplicationOrganisation,
  type BatchSize,
  type GenesisParams,
  type OrdererOrganisation,
} from './genesis.ts';
export {
  consensusOf,
  type BftConsenter,
  type ConfiguredConsensus,
  type Consensus,
  type Consenter,
  type Endpoint,
  type SmartBftOptions,
} from './consensus.ts';
export { computeUpdate } from './compute-update.ts';
export { signUpdate } from './sign-update.ts';
export type { PolicyRule, PolicyRules } from './config-group.ts';
export { parseConfig, parseConfigBlock, type ChannelConfig, type ConfiguredOrganisation } from './channel-config.ts';
export {
  addOrganisation,
  changeBatchSize,
  publishRevocationList,
  replaceMsp,
  type ConfigChange,
} from './config-changes.ts';

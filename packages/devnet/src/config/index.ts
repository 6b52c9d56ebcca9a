export {
  buildGenesisBlock,
  type ApplicationOrganisation,
  type BatchSize,
  type Consenter,
  type Endpoint,
  type GenesisParams,
  type OrdererOrganisation,
} from './genesis.ts';
export type { PolicyRule, PolicyRules } from './config-group.ts';
export { parseConfig, parseConfigBlock, type ChannelConfig, type ConfiguredOrganisation } from './channel-config.ts';
export { addOrganisation, changeBatchSize, replaceMsp, type ConfigChange } from './config-changes.ts';

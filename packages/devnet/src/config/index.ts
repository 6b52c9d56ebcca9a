export {
  buildApplicationOrgGroup,
  buildGenesisBlock,
  type ApplicationOrganisation,
  type BatchSize,
  type Consenter,
  type Endpoint,
  type GenesisParams,
  type OrdererOrganisation,
} from './genesis.ts';
export type { PolicyRule, PolicyRules } from './config-group.ts';
export {
  parseConfig,
  parseConfigBlock,
  parseConfigEnvelope,
  type ChannelConfig,
  type ConfiguredOrganisation,
} from './channel-config.ts';

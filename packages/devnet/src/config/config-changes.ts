import { orderer, type common, type msp } from '@hyperledger/fabric-protos';
import { DevnetError } from '../errors.ts';
import { buildApplicationOrgGroup, type ApplicationOrganisation, type BatchSize } from './genesis.ts';

/** Edits a copy of the configuration, for {@link OrderingService.updateConfig}. Versions are counted by the update itself. */
export type ConfigChange = (config: common.Config) => void;

/**
 * Gives an organisation another MSP, for example one with a new revocation list, wherever the organisation appears.
 */
export function replaceMsp(mspId: string, mspConfig: msp.MSPConfig): ConfigChange {
  return (config) => {
    const groups = ['Application', 'Orderer'].flatMap((section) => {
      const group = sectionOf(config, section).getGroupsMap().get(mspId);
      return group === undefined ? [] : [group];
    });
    if (groups.length === 0) throw new DevnetError('CONFIG_INVALID', `the channel has no organisation ${mspId}`);
    for (const group of groups) setValue(group, 'MSP', mspConfig.serializeBinary());
  };
}

/** Lets another organisation take part in the channel. */
export function addOrganisation(organisation: ApplicationOrganisation): ConfigChange {
  return (config) => {
    const application = sectionOf(config, 'Application');
    if (application.getGroupsMap().has(organisation.mspId)) {
      throw new DevnetError('CONFIG_INVALID', `the channel already has the organisation ${organisation.mspId}`);
    }
    application.getGroupsMap().set(organisation.mspId, buildApplicationOrgGroup(organisation));
  };
}

/** Changes the limits of blocks that are given, and leaves the others. */
export function changeBatchSize(limits: Partial<BatchSize>): ConfigChange {
  return (config) => {
    const section = sectionOf(config, 'Orderer');
    const stored = section.getValuesMap().get('BatchSize')?.getValue_asU8() ?? new Uint8Array();
    const size = orderer.BatchSize.deserializeBinary(stored);
    if (limits.maxMessageCount !== undefined) size.setMaxMessageCount(limits.maxMessageCount);
    if (limits.absoluteMaxBytes !== undefined) size.setAbsoluteMaxBytes(limits.absoluteMaxBytes);
    if (limits.preferredMaxBytes !== undefined) size.setPreferredMaxBytes(limits.preferredMaxBytes);
    setValue(section, 'BatchSize', size.serializeBinary());
  };
}

function sectionOf(config: common.Config, name: string): common.ConfigGroup {
  const section = config.getChannelGroup()?.getGroupsMap().get(name);
  if (section === undefined) throw new DevnetError('CONFIG_INVALID', `the configuration has no ${name} group`);
  return section;
}

function setValue(group: common.ConfigGroup, name: string, bytes: Uint8Array): void {
  const value = group.getValuesMap().get(name);
  if (value === undefined) throw new DevnetError('CONFIG_INVALID', `the configuration has no ${name}`);
  value.setValue(bytes);
}

import 'reflect-metadata';
import { X509Certificate, X509Crl } from '@peculiar/x509';
import { msp, orderer, type common } from '@hyperledger/fabric-protos';
import { DevnetError } from '../errors.ts';
import { buildApplicationOrgGroup, type ApplicationOrganisation, type BatchSize } from './genesis.ts';

/** Edits a copy of the configuration, for {@link OrderingService.updateConfig}. Versions are counted by the update itself. */
export type ConfigChange = (config: common.Config) => void;

/**
 * Gives an organisation another MSP, for example one with a new revocation list, wherever the organisation appears.
 */
export function replaceMsp(mspId: string, mspConfig: msp.MSPConfig): ConfigChange {
  return (config) => {
    for (const group of groupsOf(config, mspId)) setValue(group, 'MSP', mspConfig.serializeBinary());
  };
}

/**
 * Puts a revocation list (PEM) into an organisation's MSP, wherever the organisation appears, in place of the lists of the same
 * issuer: a CA's list names everything that it has revoked. The organisation's own admins may do it (the `Admins` policy of its
 * groups). Throws DevnetError MSP_INVALID when the list cannot be read or comes from none of the organisation's CAs.
 */
export function publishRevocationList(mspId: string, crlPem: string): ConfigChange {
  const crl = readCrl(crlPem);
  return (config) => {
    for (const group of groupsOf(config, mspId)) {
      const mspConfig = msp.MSPConfig.deserializeBinary(
        group.getValuesMap().get('MSP')?.getValue_asU8() ?? new Uint8Array(),
      );
      const fabric = msp.FabricMSPConfig.deserializeBinary(mspConfig.getConfig_asU8());
      const issuers = [...fabric.getRootCertsList_asU8(), ...fabric.getIntermediateCertsList_asU8()].map(
        (pem) => new X509Certificate(Buffer.from(pem).toString()).subject,
      );
      if (!issuers.includes(crl.issuer)) {
        throw new DevnetError('MSP_INVALID', `the revocation list comes from no CA of ${mspId}`);
      }
      fabric.setRevocationListList([
        ...fabric
          .getRevocationListList_asU8()
          .filter((pem) => readCrl(Buffer.from(pem).toString()).issuer !== crl.issuer),
        Buffer.from(crlPem),
      ]);
      mspConfig.setConfig(fabric.serializeBinary());
      setValue(group, 'MSP', mspConfig.serializeBinary());
    }
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

function readCrl(pem: string): X509Crl {
  try {
    return new X509Crl(pem);
  } catch (cause) {
    throw new DevnetError('MSP_INVALID', 'the revocation list cannot be read', { cause });
  }
}

/** An organisation may take part and order: it is then in two groups, with one MSP. */
function groupsOf(config: common.Config, mspId: string): common.ConfigGroup[] {
  const groups = ['Application', 'Orderer'].flatMap((section) => {
    const group = sectionOf(config, section).getGroupsMap().get(mspId);
    return group === undefined ? [] : [group];
  });
  if (groups.length === 0) throw new DevnetError('CONFIG_INVALID', `the channel has no organisation ${mspId}`);
  return groups;
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

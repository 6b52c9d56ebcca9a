import { type PrivateLedgerConfiguration, privateLedgerSection } from '@waymark/private-ledger';
import { WaymarkError } from '@waymark/protocol';
import { type ConfigurationTypes, loadConfiguration } from '@waymark/service-kit';
import { z } from 'zod';

const files = (types: ConfigurationTypes) => z.array(types.path()).max(16);

/** What a center's and a department's configuration have in common; the rest of the file is for the service. */
const define = (types: ConfigurationTypes) =>
  z.object({
    mspId: types.name(),
    channel: types.name(),
    chaincode: types.name().default('waymark'),
    identity: z.object({ certificateFile: types.path(), privateKeyFile: types.secretFile() }),
    msp: z.object({ rootFiles: files(types), intermediateFiles: files(types).default([]) }),
    ledger: z.object({
      endpoint: types.endpoint(),
      tlsRootFile: types.path(),
      tlsServerName: types.name().optional(),
    }),
    keyStore: z.object({ file: types.path(), passphraseFile: types.secretFile() }),
    privateLedger: privateLedgerSection(types).optional(),
    dataFolder: types.path(),
  });

/** A member as its service's configuration file has it. */
export type MemberConfiguration = Omit<z.infer<ReturnType<typeof define>>, 'privateLedger'> & {
  readonly privateLedger: PrivateLedgerConfiguration;
};

/**
 * Reads what is needed of a member from its service's configuration file.
 * @throws WaymarkError configuration-invalid
 */
export function loadMemberConfiguration(file: string): MemberConfiguration {
  const { privateLedger, ...rest } = loadConfiguration<z.infer<ReturnType<typeof define>>>(file, define);
  if (privateLedger === undefined)
    throw new WaymarkError('configuration-invalid', `${file}: privateLedger: the service is no member of one`, {
      details: { file },
    });
  return { ...rest, privateLedger };
}

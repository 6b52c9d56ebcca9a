import { existsSync } from 'node:fs';
import { copyFile, mkdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { stringify } from 'yaml';
import { serviceContainer } from './docker/container-names.ts';
import { type NodeFolder, programOf, serviceName, servicesOfOrganisation } from './layout.ts';
import { ledgerConfiguration, ledgerMembers } from './private-ledger.ts';
import type { OrganisationPlace } from './provision-place.ts';
import { writeWhole } from './write-whole.ts';

/**
 * Writes what a member of the organisation's private ledger is told of it: the first configuration, and where each member is and what it signs
 * with. What is there stays: members may have changed since.
 *
 * @param folder of the member; everybody's identity has been issued
 * @returns the section for the member's configuration, empty where the node is no member
 */
export async function provisionLedger(
  place: OrganisationPlace,
  node: string,
  folder: NodeFolder,
): Promise<{ readonly privateLedger?: object }> {
  const { topology, organisation } = place;
  const configuration = ledgerConfiguration(topology, organisation);
  if (configuration === undefined || !configuration.members.includes(node)) return {};
  const { ledger } = folder;
  await mkdir(ledger.dir, { recursive: true, mode: 0o700 });
  if (!existsSync(ledger.configuration))
    await writeWhole(ledger.configuration, `${JSON.stringify(configuration, null, 2)}\n`);
  if (!existsSync(ledger.members))
    await writeWhole(ledger.members, stringify({ members: await members(place, folder) }));
  return {
    privateLedger: {
      configurationFile: relative(folder.dir, ledger.configuration),
      membersFile: relative(folder.dir, ledger.members),
      // Records of this kind of enterprise have content rules of their own (D4).
      audit: { kinds: [organisation.role] },
    },
  };
}

/** With paths from the members file's own folder. */
async function members({ topology, organisation, layout, ports, hosting }: OrganisationPlace, folder: NodeFolder) {
  const { dir } = folder.ledger;
  const tlsRootFile = join(dir, 'tls-root.pem');
  await copyFile(join(folder.trust, 'tls-root.pem'), tlsRootFile);
  const services = servicesOfOrganisation(topology, organisation);
  return Promise.all(
    ledgerMembers(topology, organisation).map(async ({ node }) => {
      const service = services.find((candidate) => candidate.node === node);
      const own = ports.services[serviceName(organisation, node)];
      if (service === undefined || own === undefined) throw new Error(`no ports for ${node}`);
      const certificateFile = join(dir, `${node}.pem`);
      await copyFile(layout.node(organisation, node).certificate, certificateFile);
      return {
        id: node,
        endpoint: hosting.address(serviceContainer(service), own.grpcPort),
        tlsRootFile: relative(dir, tlsRootFile),
        // Centers have envelopes that others of them may lack.
        ...(programOf(service.kind) === 'enterprise'
          ? { apiUrl: `https://${hosting.address(serviceContainer(service), own.apiPort)}` }
          : {}),
        certificateFiles: [relative(dir, certificateFile)],
      };
    }),
  );
}

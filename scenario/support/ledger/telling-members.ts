import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Firm, RunningConsortium } from '../running-consortium.ts';

/**
 * What an operator distributes before a member comes in: to the newcomer, which does not run, the ledger's first configuration and its part of the settings; to all where everybody is.
 * @param members those that are told of the newcomer
 */
export async function tellMembers(
  { consortium }: RunningConsortium,
  firm: Firm,
  newcomer: string,
  members: readonly string[],
): Promise<void> {
  const files = (node: string) => consortium.layout.node(firm.organisation, node);
  const { ledger: known } = files('center');
  const own = files(newcomer);
  await mkdir(own.ledger.dir, { recursive: true, mode: 0o700 });
  for (const name of await readdir(known.dir)) await copyFile(join(known.dir, name), join(own.ledger.dir, name));
  const { grpcPort } = consortium.ports.services[`${firm.organisation.domain}-${newcomer}`] ?? { grpcPort: 0 };
  const entry = [
    `  - id: ${newcomer}`,
    `    endpoint: 127.0.0.1:${String(grpcPort)}`,
    '    tlsRootFile: tls-root.pem',
    '    certificateFiles:',
    `      - ${newcomer}.pem`,
    '',
  ].join('\n');
  for (const member of [...members, newcomer]) {
    const { dir, members: file } = files(member).ledger;
    await copyFile(own.certificate, join(dir, `${newcomer}.pem`));
    await writeFile(file, `${(await readFile(file, 'utf8')).trimEnd()}\n${entry}`);
  }
  const section = 'privateLedger:\n  configurationFile: ledger/configuration.json\n  membersFile: ledger/members.yaml\n  audit:\n    kinds:\n      - carrier\n'; // prettier-ignore
  await writeFile(own.configuration, `${(await readFile(own.configuration, 'utf8')).trimEnd()}\n${section}`);
}

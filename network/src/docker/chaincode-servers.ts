import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ChaincodeServerPlan } from '../hosting/hosting.ts';
import type { Layout } from '../layout.ts';
import type { Topology } from '../topology.ts';
import { writeWhole } from '../write-whole.ts';

/** As it stands in the file. */
interface StoredServer {
  readonly mspId: string;
  readonly name: string;
  readonly port: number;
  readonly packageId: string;
}

/** The chaincode servers that the compose file names: package ids are known only once the channel has the packages. */
export interface ChaincodeServers {
  of(topology: Topology): readonly ChaincodeServerPlan[];
  /** Resolves when it is on disk. */
  add(server: ChaincodeServerPlan): Promise<void>;
}

/** Opens what a data folder remembers. */
export async function openChaincodeServers(layout: Layout): Promise<ChaincodeServers> {
  const file = join(layout.root, 'docker', 'chaincode-servers.json');
  const stored = new Map<string, StoredServer>();
  if (existsSync(file)) {
    for (const server of JSON.parse(await readFile(file, 'utf8')) as StoredServer[]) stored.set(server.name, server);
  }
  let writing: Promise<unknown> = Promise.resolve();
  return {
    of: ({ organisations }) =>
      [...stored.values()].flatMap(({ mspId, ...server }) => {
        const organisation = organisations.find((candidate) => candidate.mspId === mspId);
        return organisation === undefined ? [] : [{ ...server, organisation }];
      }),
    add: async ({ organisation, name, port, packageId }) => {
      stored.set(name, { mspId: organisation.mspId, name, port, packageId });
      const servers = [...stored.values()].sort((left, right) => left.name.localeCompare(right.name));
      writing = writing.then(async () => {
        await mkdir(dirname(file), { recursive: true, mode: 0o700 });
        await writeWhole(file, `${JSON.stringify(servers, null, 2)}\n`);
      });
      await writing;
    },
  };
}

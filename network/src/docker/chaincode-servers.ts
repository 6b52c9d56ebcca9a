import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { chaincodeProcessName } from '../channel/chaincode.ts';
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
  /** Forgets those that a topology's definition of the chaincode does not have. Gives them. */
  forgetOthers(topology: Topology): Promise<readonly ChaincodeServerPlan[]>;
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
  const write = async (): Promise<void> => {
    const servers = [...stored.values()].sort((left, right) => left.name.localeCompare(right.name));
    writing = writing.then(async () => {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      await writeWhole(file, `${JSON.stringify(servers, null, 2)}\n`);
    });
    await writing;
  };
  const of = ({ organisations }: Topology): ChaincodeServerPlan[] =>
    [...stored.values()].flatMap(({ mspId, ...server }) => {
      const organisation = organisations.find((candidate) => candidate.mspId === mspId);
      return organisation === undefined ? [] : [{ ...server, organisation }];
    });
  return {
    of,
    forgetOthers: async (topology) => {
      const { sequence } = topology.chaincode;
      const others = of(topology).filter(
        ({ organisation, name }) => name !== chaincodeProcessName(sequence, organisation),
      );
      if (others.length === 0) return [];
      for (const { name } of others) stored.delete(name);
      await write();
      return others;
    },
    add: async ({ organisation, name, port, packageId }) => {
      stored.set(name, { mspId: organisation.mspId, name, port, packageId });
      await write();
    },
  };
}

import { readFile } from 'node:fs/promises';
import { type System, until } from './system.ts';

/** Name of the orderer that leads, by what the orderers' metrics say. */
export function raftLeader({ consortium, names }: System): Promise<string> {
  return until('an orderer to lead', async () => {
    const plan = JSON.parse(await readFile(consortium.layout.portsFile, 'utf8')) as {
      readonly fabric?: Readonly<Record<string, { readonly operationsPort: number }>>;
    };
    for (const name of names.orderers) {
      const port = plan.fabric?.[name]?.operationsPort;
      const metrics = await fetch(`http://127.0.0.1:${String(port ?? 0)}/metrics`).then(
        (answer) => answer.text(),
        () => '',
      );
      if (/^consensus_etcdraft_is_leader\{[^}]*\} 1$/m.test(metrics)) return name;
    }
    return undefined;
  });
}

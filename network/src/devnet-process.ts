/** Runs devnet for one consortium: `node network/src/devnet-process.ts --plan FILE`. For development, evaluation and tests. */
import { readFile } from 'node:fs/promises';
import { enableCompileCache } from 'node:module';
import { parseArgs } from 'node:util';
import type { DevnetOptions } from '@waymark/devnet';

enableCompileCache();
const { startDevnet } = await import('@waymark/devnet');
const { values } = parseArgs({ options: { plan: { type: 'string' } } });
if (values.plan === undefined) {
  process.stderr.write('usage: devnet-process.ts --plan FILE\n');
  process.exit(2);
}
const devnet = await startDevnet(JSON.parse(await readFile(values.plan, 'utf8')) as DevnetOptions);
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    void devnet.stop().then(() => process.exit(0));
  });
}
const organisations = devnet.organisations.map(({ mspId, gateway, peers }) => ({
  mspId,
  gateway: {
    endpoint: gateway.address,
    hostName: gateway.hostName,
    port: Number(gateway.address.split(':').at(-1)),
    tlsRootFile: gateway.tlsRootCertPath,
  },
  peers: peers.map(({ name, hostName, address }) => ({ name, hostName, address })),
}));
process.stdout.write(`${JSON.stringify({ event: 'ready', organisations })}\n`);

/**
 * `npm start`: a consortium on this machine, loaded and queried (issue: the main job). Progress goes to stderr.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { enableCompileCache } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServiceNode, Topology } from '@waymark/network';

const startedAtMs = Date.now() - Math.round(performance.now());
enableCompileCache();
const { errorCodes, isWaymarkError } = await import('@waymark/protocol');
const { ledgerStatus, readTopology, removeContainers, startConsortium } = await import('@waymark/network');
const { ensureChaincodeBuilt } = await import('./build-chaincode.ts');
const { measureRawOnChain } = await import('./bench/raw-on-chain.ts');
const { readArguments } = await import('./start/arguments.ts');
const { runMainJob, toJson } = await import('./start/main-job.ts');
const { closingText } = await import('./start/closing-text.ts');

const repository = join(import.meta.dirname, '..');
const say = (text: string): void => void process.stderr.write(`${text}\n`);
const asJson = process.argv.includes('--json');

try {
  const options = readArguments(process.argv.slice(2), repository);
  const temporary = options.once && options.dataDir === undefined;
  const dataDir = temporary
    ? await mkdtemp(join(tmpdir(), 'waymark-'))
    : (options.dataDir ?? join(process.cwd(), '.waymark'));
  const topology = await readTopology(join(repository, 'network', 'topology.yaml'));
  const chaincodeFolder = await ensureChaincodeBuilt();
  const consortium = await startConsortium({
    topology,
    runtime: options.runtime,
    dataDir,
    chaincodeFolder,
    onProgress: say,
    defer: (service) => isNotNeededYet(topology, service),
  });
  let ending: Promise<void> | undefined;
  const end = (): Promise<void> => (ending ??= consortium.stop());
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      say('stopping');
      void end().then(() => process.exit(0));
    });
  }
  try {
    const { figures, sample } = await runMainJob(
      {
        topology,
        layout: consortium.layout,
        chainBytes: () => consortium.channel.blockBytes(),
        startRest: () => consortium.startDeferred(),
        halt: (name) => consortium.halt(name),
        resume: (name) => consortium.restart(name),
        ledgers: () => ledgerStatus(consortium),
      },
      options.inputs,
      startedAtMs,
      say,
    );
    say('measuring what the same records cost raw on a channel of their own');
    const payloads = sample.payloads.length >= 100 ? sample.payloads : repeated(sample.payloads, 100);
    const raw = await measureRawOnChain(payloads);
    const rawOnChainBytes = Math.round(raw.bytesPerRecord * figures.records);
    if (!options.once) {
      process.stdout.write(closingText(consortium, figures, rawOnChainBytes, sample, dataDir));
      if (options.json) process.stdout.write(`${JSON.stringify(toJson(figures, rawOnChainBytes))}\n`);
      say(`stays up; Ctrl-C ends it, npm start goes on where it stopped`);
      const ended = await consortium.failed;
      say(`${ended} ended unexpectedly; its log is in ${consortium.layout.run}`);
      await end();
      process.exit(1);
    }
    await end();
    if (!options.json) process.stdout.write(closingText(consortium, figures, rawOnChainBytes, sample, dataDir));
    else process.stdout.write(`${JSON.stringify(toJson(figures, rawOnChainBytes))}\n`);
  } finally {
    await end();
    if (temporary) {
      await removeContainers(dataDir);
      await rm(dataDir, { recursive: true, force: true });
    }
  }
} catch (error) {
  const known = isWaymarkError(error);
  const code = known ? error.code : 'internal';
  const message = known ? error.message : errorCodes.internal;
  if (asJson) {
    const { file, place } = known ? error.details : {};
    process.stdout.write(
      `${JSON.stringify({ code, message, ...(file === undefined ? {} : { file }), ...(place === undefined ? {} : { place }) })}\n`,
    );
  }
  say(
    known
      ? `${code}: ${message}`
      : `internal: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  );
  process.exit(1);
}

/** What the first record and its first proof do without: a quorum of the first firm's ledger is its outlet and its standby. */
function isNotNeededYet({ organisations }: Topology, { organisation, kind }: ServiceNode): boolean {
  const isFirst = organisation.mspId === organisations[0]?.mspId;
  return kind === 'verifier' || (!isFirst && kind !== 'center');
}

function repeated(payloads: readonly Uint8Array[], count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, index) => payloads[index % payloads.length] as Uint8Array);
}

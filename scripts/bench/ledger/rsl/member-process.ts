/** One member of the private ledger under measurement: `member-process.ts PLAN.json`. */
import { randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createBodyCipher, openLedgerChain } from '@waymark/ledger-chain';
import { openLedgerLog } from '@waymark/ledger-log';
import { createLedgerMember, createPeers, type LedgerMember, signedBatches } from '@waymark/ledger-member';
import { createCoseKeys, createCrypto } from '@waymark/rsl';
import { serverCredentials, startGrpcServer } from '@waymark/transport';
import { certificateVerifier, signingIdentityFromPem } from '@waymark/vault';
import { IntakeService } from '../generated/intake.ts';
import { benchMspId, type IdentityFiles } from '../identities.ts';
import { leafAudit } from './audit.ts';
import { createIntake } from './intake.ts';
import { memberCertificates } from './member-certificates.ts';
import { benchChannel, benchLedger, electionTicks, type MemberPlan, outletName, tickMs } from './plan.ts';

const parentCheckMs = 1_000;
const graceMs = 1_000;

const plan = JSON.parse(await readFile(process.argv[2] ?? '', 'utf8')) as MemberPlan;
const { id, configuration } = plan;
const own = plan.members.find((member) => member.id === id)?.identity;
if (own === undefined) throw new Error(`${id} has no identity`);
const pems = await readIdentity(own);
const signer = signingIdentityFromPem({
  mspId: benchMspId,
  certificatePem: pems.certificate,
  privateKeyPem: pems.privateKey,
});
const certificates = await memberCertificates(plan.members);
const verifier = certificateVerifier({ rootsPem: [pems.root] });
const bodyCipher = createBodyCipher({ indexRoot: Buffer.from(plan.indexRoot, 'hex'), ledger: benchLedger });
const crypto = createCrypto({
  ...createCoseKeys({ channel: benchChannel, signer, publicKeyOf: certificates.publicKeyOf }),
  bodyId: (candidate) => bodyCipher.bodyId(candidate),
  submissions: signedBatches({
    channel: benchChannel,
    holderOf: (der, atMs) => verifier.verify(der, { atMs }).enrolmentId,
  }),
});
const log = await openLedgerLog({ folder: join(plan.folder, 'log'), create: true });
const chain = await openLedgerChain({ folder: join(plan.folder, 'chain'), ledger: benchLedger, bodyCipher });
const intake = createIntake((submission) => member.propose(submission), outletName);
const addresses = new Map(plan.members.map(({ id: peer, endpoint }) => [peer, { endpoint, tlsRootPem: pems.tlsRoot }]));
const peers = createPeers({
  ledger: benchLedger,
  member: id,
  peers: () => addresses,
  identity: { certificateChainPem: pems.certificate, privateKeyPem: pems.privateKey },
  greeting: (peer) => member.greeting(peer),
  onGreeting: (peer, greeting) => member.greeted(peer, greeting),
  onMessage: (message) => member.receive(message),
  identify: certificates.memberOf,
});
const member: LedgerMember = createLedgerMember({
  ledger: benchLedger,
  id,
  configuration,
  crypto,
  audit: leafAudit,
  random: () => randomInt(2 ** 32),
  limits: { electionTicks },
  log,
  chain,
  peers,
  events: {
    onSealed: (blocks) => intake.sealed(blocks),
    onConfirmed: (blocks) => intake.confirmed(blocks),
    onApplied: (blocks) => intake.applied(blocks),
    onReturned: (returned) => fail(`returned: ${returned[0]?.reason ?? ''}`),
    onAlert: (alert) => fail(JSON.stringify(alert)),
    onFault: fail,
    onOffice: (office) => {
      if (office.isHere) announceReady();
    },
  },
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  tickMs,
  standsFirst: configuration.eligible[0] === id,
});
const server = await startGrpcServer({
  host: '127.0.0.1',
  port: plan.port,
  credentials: serverCredentials({ certificateChainPem: pems.tlsCertificate, privateKeyPem: pems.tlsPrivateKey }, [
    pems.root,
  ]),
  addServices: (grpc) => {
    grpc.addService(IntakeService, intake.service);
    peers.addTo(grpc);
  },
});
peers.start();
member.start();
// The center is ready when it is in office.
if (configuration.eligible[0] !== id) announceReady();

const parent = process.ppid;
// Nobody stops a member whose benchmark was killed.
setInterval(() => {
  if (process.ppid !== parent) void stop();
}, parentCheckMs).unref();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop());

function announceReady(): void {
  process.stdout.write(`${JSON.stringify({ event: 'ready' })}\n`);
}

async function stop(): Promise<void> {
  await member.stop();
  await peers.stop();
  await server.stop(graceMs);
  await log.close();
  await chain.close();
  process.exit(0);
}

function fail(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(1);
}

async function readIdentity(files: IdentityFiles) {
  const read = (file: string): Promise<string> => readFile(file, 'utf8');
  return {
    certificate: await read(files.certificateFile),
    privateKey: await read(files.privateKeyFile),
    tlsCertificate: await read(files.tlsCertificateFile),
    tlsPrivateKey: await read(files.tlsPrivateKeyFile),
    root: await read(files.rootFile),
    tlsRoot: await read(files.tlsRootFile),
  };
}

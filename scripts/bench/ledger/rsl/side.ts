import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts, type RunningProcess, startProcess } from '@waymark/network';
import { callUnary, clientCredentials, clientOptions, openBidi } from '@waymark/transport';
import { signingIdentityFromPem } from '@waymark/vault';
import { IntakeClient } from '../generated/intake.ts';
import { benchMspId, type IdentityFiles, identityOf } from '../identities.ts';
import type { LedgerSide } from '../side.ts';
import { createAcknowledgements } from './acknowledgements.ts';
import { benchChannel, configurationOf, type MemberPlan, outletName, type ProfileName, profiles } from './plan.ts';
import { signedBatchSource } from './signed-batches.ts';

export interface RslSideOptions {
  readonly profile: ProfileName;
  /** Of the side's own. */
  readonly folder: string;
  readonly identities: ReadonlyMap<string, IdentityFiles>;
  readonly recordBytes: number;
}

const storedTimeoutMs = 30_000;
const pollMs = 50;

/** Members of a private ledger, each in a process of its own, and an outlet that hands its signed batches to the center on one stream. */
export async function startRslSide({ profile, folder, identities, recordBytes }: RslSideOptions): Promise<LedgerSide> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { members: names } = profiles[profile];
  const ports = await freePorts(names.length);
  const members = names.map((id, index) => ({
    id,
    endpoint: `localhost:${ports[index] ?? 0}`,
    identity: identityOf(identities, id),
  }));
  const indexRoot = randomBytes(32).toString('hex');
  const processes: RunningProcess[] = [];
  const clients: IntakeClient[] = [];
  let isClosing = false;
  const close = async (): Promise<void> => {
    isClosing = true;
    for (const client of clients) client.close();
    await Promise.all(processes.map((member) => member.stop()));
  };
  try {
    const started = await Promise.allSettled(
      names.map(async (id, index) => {
        const plan: MemberPlan = {
          id,
          folder: join(folder, id),
          port: ports[index] ?? 0,
          configuration: configurationOf(profile),
          members,
          indexRoot,
        };
        const planFile = join(folder, `${id}.json`);
        await writeFile(planFile, JSON.stringify(plan), { mode: 0o600 });
        const script = join(import.meta.dirname, 'member-process.ts');
        processes.push(await startProcess({ name: id, script, args: [planFile], announcesReady: true }, folder));
      }),
    );
    for (const outcome of started) if (outcome.status === 'rejected') throw outcome.reason;
    const outlet = identityOf(identities, outletName);
    const [certificateChainPem, privateKeyPem, tlsRootPem] = await Promise.all(
      [outlet.certificateFile, outlet.privateKeyFile, outlet.tlsRootFile].map((file) => readFile(file, 'utf8')),
    );
    if (certificateChainPem === undefined || privateKeyPem === undefined || tlsRootPem === undefined)
      throw new Error('the outlet has no identity');
    const credentials = clientCredentials([tlsRootPem], { certificateChainPem, privateKeyPem });
    clients.push(...members.map(({ endpoint }) => new IntakeClient(endpoint, credentials, clientOptions())));
    const [center] = clients;
    if (center === undefined) throw new Error('there is no center');
    const identity = signingIdentityFromPem({ mspId: benchMspId, certificatePem: certificateChainPem, privateKeyPem });
    const next = signedBatchSource(identity, benchChannel, recordBytes);
    const stream = openBidi(center.submit());
    const acknowledgements = createAcknowledgements();
    const listening = (async (): Promise<never> => {
      for await (const progress of stream.responses) acknowledgements.heard(progress);
      throw new Error('the center ended the stream');
    })().catch((error: unknown) => (isClosing ? new Promise<never>(() => undefined) : Promise.reject(error as Error)));
    const failed = Promise.race([
      listening,
      ...processes.map(async ({ name, exited }): Promise<never> => {
        const { code, signal } = await exited;
        if (isClosing) return new Promise<never>(() => undefined);
        throw new Error(`${name} ended (${String(code ?? signal)}); its log is in ${folder}`);
      }),
    ]);
    failed.catch(() => undefined);
    /** In the order of the sequence, however many wait for room. */
    let written = Promise.resolve();
    return {
      name: `RSL, ${profile} center, ${names.length} members`,
      processes: processes.map(({ name, pid }) => ({ name, pid })),
      put(count, until) {
        const { seq, batch } = next(count);
        written = written.then(() => stream.write(batch));
        written.catch(() => undefined);
        return acknowledgements.wait(seq, until);
      },
      stored: (expected) => Promise.race([storedOn(clients, expected), failed]),
      failed,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function storedOn(clients: readonly IntakeClient[], expected: number): Promise<readonly number[]> {
  const deadline = Date.now() + storedTimeoutMs;
  for (;;) {
    const counts = await Promise.all(clients.map(async (client) => callUnary(client.count.bind(client), {})));
    const accepted = counts.map((count) => count.accepted);
    if (counts.some(({ rejected }) => rejected > 0)) throw new Error('records were rejected');
    if (accepted.filter((count) => count >= expected).length > clients.length / 2) return accepted;
    if (Date.now() > deadline) throw new Error(`the members hold ${accepted.join(', ')} of ${expected} records`);
    await delay(pollMs);
  }
}

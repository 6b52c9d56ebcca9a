import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createOrganisationCa } from '@waymark/devnet/ca';
import { toHex, WaymarkError } from '@waymark/protocol';
import { consignmentKeys, type SigningIdentity, signingIdentityFromPem } from '@waymark/vault';
import { openOutbox, type Outbox } from '../../src/outbox/outbox.ts';
import type { Centers } from '../../src/upload/centers.ts';
import { createUploader, type ReceivedBatch, type Uploader } from '../../src/upload/uploader.ts';
import { hashOf } from './queued-batch.ts';

/** An outlet's identity, and that of its firm's centers. */
export interface Identities {
  readonly outlet: SigningIdentity;
  readonly center: SigningIdentity;
}

/** Fresh identities of one firm. */
export async function identities(): Promise<Identities> {
  const ca = await createOrganisationCa({ mspId: 'NorthMSP', domain: 'north.example' });
  const issue = async (enrolmentId: string): Promise<SigningIdentity> =>
    signingIdentityFromPem(await ca.issue({ enrolmentId, role: 'client' }));
  return { outlet: await issue('depot'), center: await issue('center') };
}

/** An outlet's outbox and uploader, which can die and come back. */
export interface TestUploading {
  readonly outbox: Outbox;
  readonly uploader: Uploader;
  readonly retries: unknown[];
  /** Whom the next session goes to. */
  centers: Centers;
  /** Of the uploader, from the next restart on. */
  silentMs: number;
  nowMs: number;
  transactionOf: (batch: ReceivedBatch) => string | undefined;
  /** Ends everything, and opens what is on disk again. */
  restart(): Promise<void>;
  /** Waits for what the outbox shows. */
  until(condition: () => boolean): Promise<void>;
  close(): Promise<void>;
}

/** Builds one. */
export function testUploading({ outlet, center }: Identities, centers: Centers): TestUploading {
  const folder = mkdtempSync(join(tmpdir(), 'outbox-'));
  let outbox: Outbox;
  let uploader: Uploader;
  const open = (): void => {
    outbox = openOutbox(join(folder, 'outbox.db'));
    uploader = createUploader({
      channel: 'waymark',
      identity: outlet,
      outbox,
      keys: consignmentKeys({
        channel: 'waymark',
        msp: 'NorthMSP',
        wrap: { wrapLocal: (key) => key, unwrapLocal: (key) => key },
        table: outbox.keyTable,
      }),
      centers: {
        get count() {
          return uploading.centers.count;
        },
        inOffice: (signal) => uploading.centers.inOffice(signal),
        heard: (error) => uploading.centers.heard(error),
      },
      checkCenter: (der) => {
        if (!Buffer.from(der).equals(center.certificateDer))
          throw new WaymarkError('role-not-permitted', 'not a center');
      },
      nowMs: () => uploading.nowMs,
      maxStampAgeMs: 120_000,
      transactionOf: (batch) => uploading.transactionOf(batch),
      onChanged: () => undefined,
      onRetry: (error) => void uploading.retries.push(error),
      delay: () => new Promise((resolve) => setImmediate(resolve)),
      silentMs: uploading.silentMs,
    });
  };
  const uploading: TestUploading = {
    get outbox() {
      return outbox;
    },
    get uploader() {
      return uploader;
    },
    retries: [],
    silentMs: 30_000,
    centers,
    nowMs: Date.UTC(2026, 2, 1),
    transactionOf: () => undefined,
    async restart() {
      await uploader.stop();
      outbox.close();
      open();
      uploader.start();
    },
    async until(condition) {
      const end = Date.now() + 5_000;
      while (!condition()) {
        if (Date.now() > end) {
          const counts = JSON.stringify(outbox.counts());
          throw new Error(`not in time: ${counts} ${String(uploading.retries.at(-1))}`);
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    async close() {
      await uploader.stop();
      outbox.close();
      rmSync(folder, { recursive: true });
    },
  };
  open();
  return uploading;
}

/** The id that a record of this name has in a queued batch, as a center holds it. */
export const oidOf = (name: string): string => toHex(hashOf(`oid ${name}`));

import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import {
  type Block,
  type ContentStore,
  type KuboStoreOptions,
  openEmbeddedStore,
  openKuboStore,
} from '@waymark/content';
import { connectGateway, type Ledger, privateKeySigner } from '@waymark/fabric';
import {
  bytesEqual,
  contentBytes,
  decodeCid,
  isWaymarkError,
  parseTime,
  recordContent,
  sha256,
  type ShipmentRecord,
} from '@waymark/protocol';
import { loadProfile } from '@waymark/sdk';
import { type ConsignmentCipher, createConsignmentCipher, openEnvelope, randomId } from '@waymark/vault';
import { recordSource, type RecordSource } from './records.ts';
import { createSample, type Side } from './side.ts';

/** Records of a run that are read back whole. */
const sampleSize = 100;

/** What the naive client is given. */
export interface NaiveOptions {
  /** One reader's profile of each firm; the records are spread over the firms' gateways. */
  readonly profiles: readonly string[];
  readonly chaincode: string;
  /** Folder of the embedded store, used when there is no kubo. */
  readonly storeFolder: string;
  readonly kubo?: Pick<KuboStoreOptions, 'url' | 'authorization'>;
  /** Unique to this run of the benchmark. */
  readonly name: string;
}

/** The naive side; how many records it works on at once can be changed between runs. */
export interface NaiveSide extends Side {
  concurrency: number;
}

interface Firm {
  readonly mspId: string;
  readonly channel: string;
  readonly ledger: Ledger;
  readonly records: RecordSource;
  readonly ciphers: Map<string, { readonly cipher: ConsignmentCipher; readonly ck: Uint8Array }>;
}

interface Done {
  readonly firm: Firm;
  readonly record: ShipmentRecord;
  readonly block: Block;
  readonly ck: Uint8Array;
}

/**
 * The design that everyone starts with: for each record one envelope, sealed as Waymark seals it, one add to a content store that
 * answers when the block is on disk, and one transaction that stores the CID. The contract does nothing but that, the store is in this process and
 * shares its fsyncs between adds that meet: both in favour of this side.
 */
export async function openNaiveSide(options: NaiveOptions): Promise<NaiveSide> {
  const store =
    options.kubo === undefined
      ? await openEmbeddedStore({ folder: options.storeFolder })
      : await openKuboStore(options.kubo);
  const firms = await Promise.all(
    options.profiles.map((profile, index) =>
      openFirm(profile, options.chaincode, recordSource(index + 101, `${options.name}-naive${index}`)),
    ),
  );
  const side: NaiveSide = {
    name: 'naive',
    concurrency: 1,
    async run(forMs) {
      const startedMs = performance.now();
      const cids: Block['cid'][] = [];
      const sample = createSample<Done>(sampleSize, Math.random);
      let endedMs = startedMs;
      let failed = 0;
      const lane = async (firm: Firm): Promise<void> => {
        while (performance.now() < startedMs + forMs) {
          const done = await storeOne(store, firm).catch(refusal);
          endedMs = performance.now();
          if (done === undefined) {
            failed += 1;
            continue;
          }
          cids.push(done.block.cid);
          sample.offer(done);
        }
      };
      await Promise.all(
        Array.from({ length: side.concurrency }, (_, index) => lane(firms[index % firms.length] as Firm)),
      );
      for (const cid of cids) if (!(await store.has(cid))) throw new Error('a block is not in the content store');
      await Promise.all(sample.items.map((done) => prove(store, done)));
      return { records: cids.length, failed, tookMs: endedMs - startedMs };
    },
    async close() {
      for (const { ledger } of firms) ledger.close();
      await store.close();
    },
  };
  return side;
}

async function storeOne(store: ContentStore, firm: Firm): Promise<Done> {
  const record = firm.records.next();
  const { cipher, ck } = cipherOf(firm, record.consignment);
  const block = cipher.seal({
    outlet: 'naive',
    recordOid: sha256(Buffer.from(record.eventId)),
    schema: record.schema,
    collectedMs: parseTime(record.collectionTime),
    content: contentBytes(recordContent(record)),
  });
  await store.putMany([block]);
  const submitted = await firm.ledger.submit('assets', 'raw', [record.eventId, block.cid.bytes]);
  await submitted.commit();
  return { firm, record, block, ck };
}

/** A record that is refused, or times out, is not counted; a fault of the benchmark itself ends it. */
function refusal(error: unknown): undefined {
  if (!isWaymarkError(error)) throw error;
}

async function prove(store: ContentStore, { firm, record, ck }: Done): Promise<void> {
  const base64 = Buffer.from(await firm.ledger.evaluate('assets', 'readRaw', [record.eventId])).toString('utf8');
  const bytes = await store.get(decodeCid(Buffer.from(base64, 'base64')));
  const { content } = openEnvelope({ bytes, expected: { channel: firm.channel, msp: firm.mspId }, key: { ck } });
  if (!bytesEqual(content, contentBytes(recordContent(record))))
    throw new Error('another record was read than written');
}

function cipherOf(
  { ciphers, channel, mspId }: Firm,
  consignment: string,
): { readonly cipher: ConsignmentCipher; readonly ck: Uint8Array } {
  const known = ciphers.get(consignment);
  if (known !== undefined) return known;
  const ck = randomBytes(32);
  const cipher = createConsignmentCipher({ channel, msp: mspId, consignmentOid: randomId(16), epoch: 0 }, ck);
  const fresh = { cipher, ck };
  ciphers.set(consignment, fresh);
  return fresh;
}

async function openFirm(profileFile: string, chaincode: string, records: RecordSource): Promise<Firm> {
  const { mspId, channel, gateway, identity } = loadProfile(profileFile);
  if (gateway === undefined) throw new Error(`${profileFile} names no gateway`);
  const ledger = connectGateway({
    endpoint: gateway.endpoint,
    tlsRootPem: await readFile(gateway.tlsRootFile, 'utf8'),
    identity: {
      mspId,
      certificatePem: await readFile(identity.certificateFile, 'utf8'),
      sign: privateKeySigner(await readFile(identity.privateKeyFile, 'utf8')),
    },
    channel,
    chaincode,
    maxInFlight: 500,
  });
  return { mspId, channel, ledger, records, ciphers: new Map() };
}

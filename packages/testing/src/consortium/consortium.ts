import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Devnet, type DevnetOptions, startDevnet } from '@waymark/devnet';
import { startChaincode, type ChaincodeProcess } from './chaincode-process.ts';
import { createFirm, type TestFirm } from './firm.ts';

const channel = 'waymark';
const chaincodeName = 'waymark';
const readyTimeoutMs = 30_000;

/** A consortium of two firms: devnet in this process, the real chaincode in its own. */
export interface TestConsortium {
  readonly folder: string;
  readonly channel: string;
  readonly chaincode: ChaincodeProcess;
  readonly devnet: Devnet;
  /** `NorthMSP` and `SouthMSP`. */
  readonly firms: readonly [TestFirm, TestFirm];
  /** Ends the network. Services that a test started it stops itself, before. */
  stop(): Promise<void>;
}

/** Options that a test may set. */
export interface TestConsortiumOptions {
  /** Default: a new folder, removed at the end. */
  readonly folder?: string;
  /** Time after which a block is cut. Default 50 ms. */
  readonly blockTimeoutMs?: number;
  readonly devnet?: Partial<DevnetOptions>;
}

/** Starts two organisations of two peers each and founds the consortium of them. */
export async function startTestConsortium(options: TestConsortiumOptions = {}): Promise<TestConsortium> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'waymark-consortium-')));
  const closers: (() => Promise<void> | void)[] = [];
  const stop = async (): Promise<void> => {
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close();
  };
  if (options.folder === undefined) closers.push(() => rm(folder, { recursive: true, force: true }));
  try {
    const chaincode = await startChaincode();
    closers.push(() => chaincode.stop());
    const peers = [{ name: 'peer0' }, { name: 'peer1' }];
    const devnet = await startDevnet({
      dataDir: join(folder, 'devnet'),
      channel,
      organisations: [
        { mspId: 'NorthMSP', peers },
        { mspId: 'SouthMSP', peers },
      ],
      chaincodes: [{ name: chaincodeName, address: chaincode.address }],
      batch: { timeoutMs: options.blockTimeoutMs ?? 50 },
      ...options.devnet,
    });
    closers.push(() => devnet.stop());
    await devnet.chaincodesReady(readyTimeoutMs);
    const made: TestFirm[] = [];
    for (const organisation of devnet.organisations) {
      const others = () => made.filter(({ mspId }) => mspId !== organisation.mspId);
      const firm = await createFirm({ folder, channel, chaincode: chaincodeName, organisation, others });
      made.push(firm);
      closers.push(() => firm.close());
    }
    const [north, south] = made;
    if (north === undefined || south === undefined) throw new Error('two organisations expected');
    await found([north, south]);
    return { folder, channel, chaincode, devnet, firms: [north, south], stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Every organisation calls for the same list; with the last of them the consortium is founded. */
async function found(firms: readonly TestFirm[]): Promise<void> {
  const list = JSON.stringify({ organisations: firms.map(({ mspId }) => ({ mspId, role: 'carrier' })) });
  for (const { admin } of firms) {
    const submitted = await admin.submit('participants', 'found', [list], { retryable: true });
    await submitted.commit();
  }
}

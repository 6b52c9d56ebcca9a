import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChaincodeOptions, DevnetOptions } from '../../../src/index.ts';
import { removeTemporaryFolders } from '../../support/temporary-folder.ts';
import type { Comparable } from './comparable.ts';
import type { FabricNode } from './fabric-node.ts';
import { missingFabric, startTwin, type InstalledChaincode, type Sides, type Twin } from './twin.ts';

const START_TIMEOUT_MS = 120_000;
/** Set, what Fabric answers is written down anew. */
const RECORD = process.env['DEVNET_RECORD'] !== undefined;

export interface Fidelity {
  readonly twin: Twin;
  /** Asks both sides the same and compares; `name` is that of the answer in the recording. */
  same(name: string, nodes: Sides<FabricNode>, ask: (node: FabricNode) => Promise<Comparable>): Promise<void>;
}

export interface ChaincodeServers {
  readonly installed: readonly InstalledChaincode[];
  /** Defined on the channel, and not on Org1's peers. */
  readonly elsewhere?: readonly ChaincodeOptions[];
  stop(): void;
}

/**
 * Tests that put the same questions to a devnet and to Fabric. Fabric's answers are recorded, so a devnet is held to them
 * where Fabric is not at hand; where it is, its answers are compared with the recording as well.
 */
export function describeFidelity(
  name: string,
  options: {
    readonly recording: string;
    readonly devnet?: Partial<DevnetOptions>;
    /** Starts chaincode servers; they are stopped at the end. */
    readonly chaincodes?: () => Promise<ChaincodeServers>;
  },
  body: (fidelity: () => Fidelity) => void,
): void {
  const missing = missingFabric();
  const against = missing === undefined ? '' : ` (against recorded answers only: ${missing})`;
  describe(`${name}${against}`, () => {
    let fidelity: Fidelity | undefined;
    let servers: ChaincodeServers | undefined;
    const recording = new Recording(options.recording);
    beforeAll(async () => {
      servers = await options.chaincodes?.();
      const installed = servers?.installed ?? [];
      const chaincodes = servers === undefined ? {} : { chaincodes: [...installed, ...(servers.elsewhere ?? [])] };
      const approved = (servers?.elsewhere ?? []).map(({ name }) => name);
      const twin = await startTwin({ ...options.devnet, ...chaincodes }, installed, approved);
      if (installed.length > 0) await twin.devnet.chaincodesReady(START_TIMEOUT_MS);
      await twin.caughtUp();
      fidelity = { twin, same: (question, nodes, ask) => expectSame(recording, question, nodes, ask) };
    }, START_TIMEOUT_MS);
    afterAll(async () => {
      recording.save();
      await fidelity?.twin.stop();
      servers?.stop();
      await removeTemporaryFolders();
    });
    body(() => {
      if (fidelity === undefined) throw new Error('nothing was started');
      return fidelity;
    });
  });
}

async function expectSame(
  recording: Recording,
  question: string,
  nodes: Sides<FabricNode>,
  ask: (node: FabricNode) => Promise<Comparable>,
): Promise<void> {
  const [devnet, fabric] = await Promise.all([
    ask(nodes.devnet),
    nodes.fabric === undefined ? undefined : ask(nodes.fabric),
  ]);
  if (fabric !== undefined) {
    expect(devnet).toEqual(fabric);
    if (RECORD) recording.set(question, fabric.stable);
  }
  expect(plain(devnet.stable)).toEqual(recording.get(question));
}

/** Answers of Fabric 3.1.5 by question. */
class Recording {
  readonly #path: string;
  readonly #answers: Record<string, unknown>;

  constructor(name: string) {
    this.#path = join(import.meta.dirname, '../recordings', `${name}.json`);
    this.#answers = existsSync(this.#path)
      ? (JSON.parse(readFileSync(this.#path, 'utf8')) as Record<string, unknown>)
      : {};
  }

  get(question: string): unknown {
    if (!Object.hasOwn(this.#answers, question)) throw new Error(`Fabric's answer is not recorded: ${question}`);
    return this.#answers[question];
  }

  set(question: string, answer: unknown): void {
    this.#answers[question] = plain(answer);
  }

  save(): void {
    if (RECORD) writeFileSync(this.#path, `${JSON.stringify(this.#answers, null, 2)}\n`);
  }
}

/** As JSON has it: without what is undefined. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value)) as unknown;
}

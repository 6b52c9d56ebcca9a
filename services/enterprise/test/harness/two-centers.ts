import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseCid, verifyBlock } from '@waymark/protocol';
import {
  caughtUp,
  restClient,
  startTestConsortium,
  type RestAnswer,
  type TestConsortium,
  type TestFirm,
} from '@waymark/testing/consortium';
import { buildMessage, type RawOutlet, rawOutlet, type Spoiled } from './raw-outlet.ts';

/** A certificate with its key, as PEM text. */
export interface Pem {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

export type Center = Awaited<ReturnType<TestFirm['center']>>;

/** A firm with its center and an outlet that is not ours. */
export interface PinningFirm {
  readonly firm: TestFirm;
  readonly center: Center;
  /** Certificate of the center itself. */
  readonly asCenter: Pem;
  /** Sends one batch, and gives the answer with the CID of its block. */
  send(spoiled?: Spoiled): Promise<{ code: string; cid: string; leaves: readonly string[] }>;
  outlet(): Promise<RawOutlet>;
  call(method: 'GET' | 'POST', path: string, body?: unknown, as?: Pem): Promise<RestAnswer>;
  status(): Promise<Record<string, unknown> & { pins: PinsDocument; batches: Record<string, number> }>;
}

export interface PinsDocument {
  readonly anchored: number;
  readonly replicated: number;
  readonly missing: number;
  readonly waiting: number;
  readonly withoutReceipts: number;
  readonly repairs: { readonly waiting: number; readonly done: number; readonly failed: number };
  readonly members: readonly { readonly mspId: string; readonly reachable: boolean | null; readonly awaited: number }[];
}

/** Writes a center's members file. @param others the organisations with or without a running center */
export function writeMembers(center: Center, others: readonly { firm: TestFirm; center?: Center | undefined }[]): void {
  const members = others.map(({ firm, center: other }) => ({
    mspId: firm.mspId,
    rootFiles: [firm.rootFile],
    ...(other === undefined
      ? {}
      : {
          center: {
            apiUrl: `https://127.0.0.1:${String(other.config.listen.apiPort)}`,
            tlsRootFile: firm.tlsRootFile,
          },
        }),
  }));
  writeFileSync(center.config.membersFile ?? '', JSON.stringify({ members }));
}

/** Two firms whose centers know each other; nothing is started yet. */
export async function twoCenters(
  pins: readonly [Record<string, unknown>, Record<string, unknown>],
  overrides: readonly [Record<string, unknown>, Record<string, unknown>] = [{}, {}],
): Promise<{ consortium: TestConsortium; north: PinningFirm; south: PinningFirm }> {
  const consortium = await startTestConsortium();
  const [northFirm, southFirm] = consortium.firms;
  const northCenter = await northFirm.center('center', { pins: pins[0], ...overrides[0] });
  const southCenter = await southFirm.center('center', { pins: pins[1], ...overrides[1] });
  writeMembers(northCenter, [{ firm: southFirm, center: southCenter }]);
  writeMembers(southCenter, [{ firm: northFirm, center: northCenter }]);
  return {
    consortium,
    north: pinningFirm(consortium, northFirm, northCenter),
    south: pinningFirm(consortium, southFirm, southCenter),
  };
}

function pinningFirm(consortium: TestConsortium, firm: TestFirm, center: Center): PinningFirm {
  const asCenter = {
    certificatePem: readFileSync(center.config.identity.certificateFile, 'utf8'),
    privateKeyPem: readFileSync(center.config.identity.privateKeyFile, 'utf8'),
  };
  let made: Promise<RawOutlet> | undefined;
  const outlet = (): Promise<RawOutlet> => {
    made ??= (async () => {
      const identity = await firm.enrol('depot', 'outlet');
      await caughtUp(consortium, center);
      return rawOutlet(firm, consortium.channel, center.config.listen.grpcPort, identity);
    })();
    return made;
  };
  const call: PinningFirm['call'] = (method, path, body, as = asCenter) =>
    restClient(firm, center.config.listen.apiPort, as)(method, path, body);
  return {
    firm,
    center,
    asCenter,
    outlet,
    call,
    async status() {
      const { body } = await call('GET', '/v1/status');
      return body as Awaited<ReturnType<PinningFirm['status']>>;
    },
    async send(spoiled) {
      const depot = await outlet();
      const { identity } = depot;
      const { mspId } = firm;
      const parts = {
        mspId,
        channel: consortium.channel,
        identity,
        key: await depot.transportKey(),
        previous: await depot.position(),
      };
      const built = buildMessage(parts, spoiled);
      const [answer] = await depot.upload(built.sealed);
      return { code: answer?.code ?? 'none', ...built.block };
    },
  };
}

/** Flips a byte of a stored block in place, as a fault of the disk would. */
export function flipByte(center: Center, cid: string): void {
  const folder = join(center.config.dataFolder, 'content', 'segments');
  for (const name of readdirSync(folder)) {
    const bytes = readFileSync(join(folder, name));
    const wanted = parseCid(cid);
    for (let at = bytes.indexOf(wanted.bytes); at >= 0; at = bytes.indexOf(wanted.bytes, at + 1)) {
      if (!isSection(bytes, at, wanted)) continue;
      const target = at + 36 + 5;
      bytes[target] = (bytes[target] ?? 0) ^ 1;
      writeFileSync(join(folder, name), bytes);
      return;
    }
  }
  throw new Error('the block is not there');
}

/** Whether a CID in a CAR file stands before its block, and not as a link in another one. */
function isSection(bytes: Buffer, at: number, cid: ReturnType<typeof parseCid>): boolean {
  for (let width = 1; width <= 4; width += 1) {
    const length = bytes
      .subarray(at - width, at)
      .reduce((sum, byte, index) => sum + (byte & 0x7f) * 2 ** (7 * index), 0);
    try {
      verifyBlock(cid, bytes.subarray(at + 36, at + length));
      return true;
    } catch {
      // The section's length has another width, or this is none.
    }
  }
  return false;
}

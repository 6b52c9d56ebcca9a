import { readFile } from 'node:fs/promises';
import { chaincodeVerdict, connectGateway, privateKeySigner } from '@waymark/fabric';
import { WaymarkError } from '@waymark/protocol';
import { loadProfile } from '@waymark/sdk';
import { z } from 'zod';

/** What the channel has of a private ledger. */
export interface AnchoredLedger {
  /** Blocks that an anchor covers. */
  readonly blocks: number;
  /** Transactions that hold them. */
  readonly anchors: number;
}

const pageAnchors = 100;
const pageSchema = z.object({
  items: z.array(z.object({ first: z.int().min(1), last: z.int().min(1) })),
  next: z.int().min(1).nullable(),
});

/**
 * Counts the anchors of the profile's organisation on the channel, not at a member.
 * @throws WaymarkError configuration-invalid, unavailable
 */
export async function readAnchoredLedger(profileFile: string): Promise<AnchoredLedger> {
  const { mspId, channel, chaincode, gateway, identity } = loadProfile(profileFile);
  if (gateway === undefined) throw new WaymarkError('configuration-invalid', 'The profile has no "gateway".');
  const [tlsRootPem, certificatePem, privateKeyPem] = await Promise.all(
    [gateway.tlsRootFile, identity.certificateFile, identity.privateKeyFile].map((file) => readFile(file, 'utf8')),
  );
  const ledger = connectGateway({
    endpoint: gateway.endpoint,
    tlsRootPem: tlsRootPem ?? '',
    ...(gateway.tlsServerName === undefined ? {} : { tlsServerName: gateway.tlsServerName }),
    identity: { mspId, certificatePem: certificatePem ?? '', sign: privateKeySigner(privateKeyPem ?? '') },
    channel,
    chaincode,
  });
  try {
    let anchors = 0;
    let blocks = 0;
    for (let from: number | null = 1; from !== null;) {
      const answer = await ledger.evaluate('anchors', 'list', [mspId, String(from), String(pageAnchors)]);
      const page: z.infer<typeof pageSchema> = pageSchema.parse(JSON.parse(Buffer.from(answer).toString('utf8')));
      anchors += page.items.length;
      for (const { first, last } of page.items) blocks += last - first + 1;
      from = page.next;
    }
    return { blocks, anchors };
  } catch (error) {
    throw chaincodeVerdict(error);
  } finally {
    ledger.close();
  }
}

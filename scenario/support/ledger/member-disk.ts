import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BodyCipher, createBodyCipher, type LedgerChain, openLedgerChain } from '@waymark/ledger-chain';
import { signedBatches } from '@waymark/ledger-member';
import type { Consortium } from '@waymark/network';
import { loadFirstConfiguration } from '@waymark/private-ledger';
import { ledgerName, toHex } from '@waymark/protocol';
import { type Configuration, createCoseKeys, createCrypto, type Crypto } from '@waymark/rsl';
import {
  certificateVerifier,
  openKeyStore,
  parseCertificatesPem,
  readPassphrase,
  signingIdentityFromPem,
} from '@waymark/vault';
import type { Firm } from '../running-consortium.ts';

/** What a member that does not run has on its disk. */
export interface MemberDisk {
  readonly member: string;
  readonly chain: LedgerChain;
  readonly crypto: Crypto;
  readonly configuration: Configuration;
}

/** Folder of the private ledger of a node. */
export function ledgerFolderOf({ layout }: Consortium, { organisation }: Firm, node: string): string {
  return join(layout.node(organisation, node).data, 'ledger');
}

/** What a member encrypts, hashes and signs with. */
export interface MemberKeys {
  readonly ledger: string;
  readonly bodyCipher: BodyCipher;
  readonly crypto: Crypto;
}

/** Opens the chain of a member whose process has ended, with the keys of its firm. Whoever opens it closes it. */
export async function openMemberDisk(consortium: Consortium, firm: Firm, member: string): Promise<MemberDisk> {
  const files = consortium.layout.node(firm.organisation, member);
  const { ledger, bodyCipher, crypto } = await openMemberKeys(consortium, firm, member);
  const chain = await openLedgerChain({ folder: join(files.data, 'ledger', 'chain'), ledger, bodyCipher });
  return { member, chain, crypto, configuration: loadFirstConfiguration(files.ledger.configuration) };
}

/** Whoever has a member's folder has its keys. */
export async function openMemberKeys(consortium: Consortium, firm: Firm, member: string): Promise<MemberKeys> {
  const { mspId, channel } = firm;
  const files = consortium.layout.node(firm.organisation, member);
  const keyStore = await openKeyStore({ file: files.keyStore, passphrase: readPassphrase({ file: files.passphrase }) });
  const ledger = ledgerName(mspId, channel);
  const bodyCipher = createBodyCipher({ indexRoot: keyStore.indexRoot.export(), ledger });
  const verifier = certificateVerifier({ rootsPem: [firm.rootPem], intermediatesPem: [] });
  const keys = await memberKeys(files.ledger.dir);
  const crypto = createCrypto({
    bodyId: (candidate) => bodyCipher.bodyId(candidate),
    submissions: signedBatches({
      channel,
      holderOf: (der, atMs) => verifier.verify(der, { atMs, roles: ['client', 'peer'] }).enrolmentId,
    }),
    ...createCoseKeys({
      channel,
      signer: signingIdentityFromPem({ mspId, ...(await firm.identity(member)) }),
      publicKeyOf: (name, digest) => keys.get(name)?.get(toHex(digest)) ?? null,
    }),
  });
  return { ledger, bodyCipher, crypto };
}

type PublicKey = ReturnType<typeof parseCertificatesPem>[number]['publicKey'];

/** By member: the keys of the certificates `<member>.pem` that lie in its ledger folder, by their digest. */
async function memberKeys(folder: string): Promise<ReadonlyMap<string, ReadonlyMap<string, PublicKey>>> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.pem') && name !== 'tls-root.pem');
  const read = async (name: string) => {
    const parsed = parseCertificatesPem(await readFile(join(folder, name), 'utf8'));
    return [name.slice(0, -'.pem'.length), new Map(parsed.map((one) => [toHex(one.digest), one.publicKey]))] as const;
  };
  return new Map(await Promise.all(names.map(read)));
}

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { common } from '@hyperledger/fabric-protos';
import type { IssuedIdentity } from '../../src/ca/index.ts';
import { createSigningIdentity, type SigningIdentity } from '../../src/msp/index.ts';
import type { TestChannel } from './test-channel.ts';

type Role = 'client1' | 'peer1' | 'peer2' | 'orderer';

/** What another process needs to work on a test channel. */
export type StoredChannel = { readonly genesisBlock: common.Block } & Readonly<Record<Role, SigningIdentity>>;

export async function storeChannel(dir: string, { org1, org2, orderer, genesisBlock }: TestChannel): Promise<void> {
  const identities: Record<Role, IssuedIdentity> = {
    client1: org1.client.issued,
    peer1: org1.peer.issued,
    peer2: org2.peer.issued,
    orderer: orderer.issued,
  };
  await writeFile(join(dir, 'identities.json'), JSON.stringify(identities));
  await writeFile(join(dir, 'genesis.block'), genesisBlock.serializeBinary());
}

export async function loadChannel(dir: string): Promise<StoredChannel> {
  const identities = JSON.parse(await readFile(join(dir, 'identities.json'), 'utf8')) as Record<Role, IssuedIdentity>;
  return {
    client1: createSigningIdentity(identities.client1),
    peer1: createSigningIdentity(identities.peer1),
    peer2: createSigningIdentity(identities.peer2),
    orderer: createSigningIdentity(identities.orderer),
    genesisBlock: common.Block.deserializeBinary(await readFile(join(dir, 'genesis.block'))),
  };
}

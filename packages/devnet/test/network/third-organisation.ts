import type { AddedOrganisationOptions, Devnet, DevnetOrganisation } from '@waymark/devnet';
import { connectClient } from '../harness/client.ts';
import { CHAINCODE, CHANNEL, sameHeight } from '../harness/network.ts';

const READY_TIMEOUT_MS = 20_000;

/** The organisation that comes. */
export const third: AddedOrganisationOptions = { mspId: 'Org3MSP', peers: [{ name: 'peer0' }, { name: 'peer1' }] };

/** Writes through an organisation's own gateway, endorsed by the organisations that are named. */
export async function write(
  organisation: DevnetOrganisation,
  id: string,
  endorsingOrganizations?: string[],
): Promise<void> {
  const client = connectClient(organisation.gateway, organisation.user);
  try {
    await client.gateway
      .getNetwork(CHANNEL)
      .getContract(CHAINCODE)
      .submit('createAsset', {
        arguments: [id, organisation.mspId, '1'],
        ...(endorsingOrganizations === undefined ? {} : { endorsingOrganizations }),
      });
  } finally {
    client.close();
  }
}

/** Ids of all assets, asked through an organisation's own gateway. */
export async function ids({ gateway, user }: DevnetOrganisation): Promise<string[]> {
  const client = connectClient(gateway, user);
  try {
    const list = await client.gateway
      .getNetwork(CHANNEL)
      .getContract(CHAINCODE)
      .evaluateTransaction('listAssets', '', '');
    return (JSON.parse(Buffer.from(list).toString()) as { readonly id: string }[]).map(({ id }) => id);
  } finally {
    client.close();
  }
}

/** It is a member like the others: its gateway serves, its peers endorse and have the whole chain. */
export async function expectMember(devnet: Devnet, id: string, before: readonly string[]): Promise<void> {
  await devnet.chaincodesReady(READY_TIMEOUT_MS);
  const member = devnet.organisation('Org3MSP');
  await write(member, `${id}-a`, ['Org3MSP', 'Org1MSP']);
  await write(devnet.organisation('Org1MSP'), `${id}-b`, ['Org3MSP', 'Org2MSP']);
  await sameHeight(devnet);
  const all = [...before, `${id}-a`, `${id}-b`].sort();
  for (const organisation of devnet.organisations) expect(await ids(organisation)).toEqual(all);
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDevnet } from '@waymark/devnet';
import { startAssetContract } from '../../devnet/test/harness/chaincode-process.ts';
import { CHAINCODE, CHANNEL, twoOrganisations } from '../../devnet/test/harness/network.ts';
import { connectGateway, privateKeySigner, type DecodedBlock } from '../src/index.ts';

test('a connection outlives a restart of the network: calls, commits and followers go on where they were', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'waymark-ledger-'));
  const chaincode = await startAssetContract();
  let devnet = await startDevnet(twoOrganisations(dataDir, chaincode.address));
  await devnet.chaincodesReady(20_000);
  const { gateway, user } = devnet.organisation('Org1MSP');
  const ledger = connectGateway({
    endpoint: gateway.address,
    tlsRootPem: gateway.tlsRootCertPem,
    identity: { mspId: user.mspId, certificatePem: user.certificatePem, sign: privateKeySigner(user.privateKeyPem) },
    channel: CHANNEL,
    chaincode: CHAINCODE,
  });
  try {
    const submitted = await ledger.submit('assets', 'createAsset', ['a', 'owner', '1']);
    const before = await submitted.commit();
    const seen: DecodedBlock[] = [];
    const broken = (async () => {
      for await (const block of ledger.blockEvents({ from: 0n })) seen.push(block);
    })().catch((error: unknown) => error);

    await devnet.stop();
    expect(await broken).toMatchObject({ code: 'unavailable' });
    await expect(ledger.evaluate('assets', 'readAsset', ['a'])).rejects.toMatchObject({ code: 'unavailable' });

    devnet = await startDevnet(twoOrganisations(dataDir, chaincode.address));
    await devnet.chaincodesReady(20_000);
    const again = async (): Promise<Uint8Array> => {
      for (;;) {
        try {
          return await ledger.evaluate('assets', 'readAsset', ['a']);
        } catch {
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      }
    };
    expect(JSON.parse(Buffer.from(await again()).toString())).toMatchObject({ id: 'a', value: 1 });
    expect(await ledger.transactionStatus(before.txId)).toMatchObject({ blockNumber: before.blockNumber, valid: true });

    const { blockNumber } = await (await ledger.submit('assets', 'updateAsset', ['a', '2'])).commit();
    for await (const block of ledger.blockEvents({ from: BigInt(seen.length) })) {
      expect(Buffer.from(block.previousHash)).toEqual(Buffer.from(seen.at(-1)?.hash ?? []));
      seen.push(block);
      if (block.number === blockNumber) break;
    }
    expect(seen.map(({ number }) => number)).toEqual(seen.map((_, index) => BigInt(index)));
  } finally {
    ledger.close();
    await devnet.stop();
    await chaincode.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}, 60_000);

import { CHAINCODE, CHANNEL, startTestNetwork } from '../../devnet/test/harness/network.ts';
import type { TestNetwork } from './network.ts';

export async function startDevnetNetwork(): Promise<TestNetwork> {
  const network = await startTestNetwork();
  const { devnet } = network;
  return {
    channel: CHANNEL,
    chaincode: CHAINCODE,
    organisations: devnet.organisations,
    orderers: [devnet.orderer],
    stop: () => network.stop(),
  };
}

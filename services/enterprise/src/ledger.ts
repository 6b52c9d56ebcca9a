import { connectGateway, type Ledger, privateKeySigner } from '@waymark/fabric';
import { WaymarkError } from '@waymark/protocol';
import { readTextFile } from '@waymark/service-kit';
import type { EnterpriseConfiguration } from './configuration.ts';

/**
 * The channel, through a peer's gateway or, where the configuration asks for it by name, over the fabric-network client.
 * That one is optional and is loaded only then.
 *
 * @throws WaymarkError `configuration-invalid` when the client is asked for and is not installed
 */
export async function openLedger(
  config: EnterpriseConfiguration,
  keys: { readonly certificatePem: string; readonly privateKeyPem: string },
): Promise<Ledger> {
  const { mspId, channel, chaincode } = config;
  const { client, endpoint, tlsRootFile, tlsServerName } = config.ledger;
  const node = {
    endpoint,
    tlsRootPem: readTextFile(tlsRootFile),
    ...(tlsServerName === undefined ? {} : { tlsServerName }),
  };
  const identity = { mspId, certificatePem: keys.certificatePem, sign: privateKeySigner(keys.privateKeyPem) };
  if (client === 'gateway') return connectGateway({ ...node, identity, channel, chaincode });
  const { connectFabricNetwork } = await import('@waymark/ledger-fabric-network').catch((cause: unknown) => {
    throw new WaymarkError('configuration-invalid', 'the client fabric-network is not installed', { cause });
  });
  return connectFabricNetwork({
    peers: [{ ...node, mspId }],
    discovery: { asLocalhost: false },
    identity,
    channel,
    chaincode,
  });
}

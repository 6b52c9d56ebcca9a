import { discovery } from '@hyperledger/fabric-protos';
import type { ChannelConfig } from '../config/channel-config.ts';

/** The MSPs of all organisations and where the orderers listen (Fabric: discovery/support/config/support.go). */
export function answerConfigQuery(config: ChannelConfig): discovery.QueryResult {
  const result = new discovery.ConfigResult();
  for (const { mspId, mspConfig } of [...config.ordererOrganisations, ...config.applicationOrganisations]) {
    result.getMspsMap().set(mspId, mspConfig);
  }
  for (const { mspId, endpoints } of config.ordererOrganisations) {
    const list = new discovery.Endpoints();
    for (const address of endpoints) {
      const colon = address.lastIndexOf(':');
      const endpoint = new discovery.Endpoint();
      endpoint.setHost(address.slice(0, colon));
      endpoint.setPort(Number(address.slice(colon + 1)));
      list.addEndpoint(endpoint);
    }
    result.getOrderersMap().set(mspId, list);
  }
  const answer = new discovery.QueryResult();
  answer.setConfigResult(result);
  return answer;
}

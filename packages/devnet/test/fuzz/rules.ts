import { gateway, orderer, peer } from '@hyperledger/fabric-protos';
import type { Outcome } from './inputs/raw-client.ts';
import type { Method } from './inputs/services.ts';

/** Words of the machinery: a caller must see Fabric's texts, never those of a runtime or a file system. */
const INNER_TEXT =
  /\bat .{1,200}:\d+:\d+|node:internal|node_modules|file:\/\/|\.[tj]s:\d+|\/(?:tmp|home|work|usr|var|etc)\/|(?:Type|Range|Reference|Syntax|URI|Assertion)Error|is not a function|is not iterable|Cannot read propert|Cannot convert|Maximum call stack|Invalid time value|Assertion failed|undefined|\[object |ERR_[A-Z]|BigInt|Invalid string length|Array buffer/;

/** gRPC statuses that a Fabric node, or gRPC below it, gives to a request that is wrong. */
const STATUSES_OF_FABRIC = new Set([0, 2, 3, 5, 7, 8, 9, 10, 12, 13, 14]);
const PENDING = -1;
const CANCELLED_OR_LATE = new Set([1, 4]);

/** Why an answer is not one that Fabric could give, or undefined. */
export function judge(method: Method, outcome: Outcome): string | undefined {
  const { code, text, trailer, messages } = outcome;
  if (code === PENDING || CANCELLED_OR_LATE.has(code)) {
    return method.mayWait ? undefined : `${method.path} was not answered in time (${code}: ${text})`;
  }
  if (!STATUSES_OF_FABRIC.has(code)) return `${method.path} gave status ${code}: ${text}`;
  if (code === 13 && text.startsWith('Received RST_STREAM')) return `${method.path} was broken off: ${text}`;
  if (code === 2 && (text === 'Unknown Error' || text === 'Unknown error')) return `${method.path} threw: ${text}`;
  for (const said of [text, trailer, ...messages.map((message) => textsOf(method, message))]) {
    const inner = INNER_TEXT.exec(said);
    if (inner !== null) return `${method.path} tells of its inside (${inner[0]}): ${said.slice(0, 400)}`;
  }
  return undefined;
}

/** What an answer says in words; payloads of chaincode are the chaincode's. */
function textsOf(method: Method, message: Buffer): string {
  switch (method.path) {
    case '/protos.Endorser/ProcessProposal':
      return peer.ProposalResponse.deserializeBinary(message).getResponse()?.getMessage() ?? '';
    case '/gateway.Gateway/Evaluate':
      return gateway.EvaluateResponse.deserializeBinary(message).getResult()?.getMessage() ?? '';
    case '/orderer.AtomicBroadcast/Broadcast':
      return orderer.BroadcastResponse.deserializeBinary(message).getInfo();
    case '/discovery.Discovery/Discover':
      return message
        .toString('latin1')
        .replaceAll(/[^\x20-\x7e]+/g, ' ')
        .replaceAll('-----', '');
    default:
      return '';
  }
}

import { Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { GatewayError } from '@hyperledger/fabric-gateway';
import { errorCodes, type ErrorCode } from '@waymark/protocol';
import { parseChaincodeRefusal } from '../src/errors/chaincode-refusal.ts';
import { fromGatewayFailure } from '../src/errors/gateway-failure.ts';

const failure = (code: status, message: string, details: readonly string[] = []): GatewayError => {
  const cause: ServiceError = Object.assign(new Error(message), { code, details: message, metadata: new Metadata() });
  return new GatewayError({
    code,
    message,
    cause,
    details: details.map((text) => ({ address: 'peer0.org1.example.com:7051', mspId: 'Org1MSP', message: text })),
  });
};

test.each(Object.keys(errorCodes) as ErrorCode[])('the chaincode’s refusal %s keeps its code and facts', (code) => {
  const text = `WAYMARK_${code.toUpperCase().replaceAll('-', '_')}: {"id":"Org1MSP/o/3","reason":"prev","seq":3}`;
  const mapped = fromGatewayFailure(
    failure(status.ABORTED, '10 ABORTED: failed to endorse transaction, see attached details for more info', [
      `chaincode response 500, ${text}`,
    ]),
  );
  expect(mapped).toMatchObject({ code, details: { id: 'Org1MSP/o/3', reason: 'prev', seq: 3 } });
});

test('a refusal may also stand in the message itself (evaluate)', () => {
  const error = failure(
    status.UNKNOWN,
    '2 UNKNOWN: evaluate call to endorser returned error: chaincode response 500, WAYMARK_REFUSED: {"reason":"not-there"}',
  );
  expect(fromGatewayFailure(error)).toMatchObject({ code: 'refused', details: { reason: 'not-there' } });
});

test.each([
  ['an unknown code', 'WAYMARK_NO_SUCH_CODE: {"a":1}'],
  ['a name of Object.prototype', 'WAYMARK_CONSTRUCTOR: {"a":1}'],
  ['no details', 'WAYMARK_CONFLICT'],
])('a text with %s is not a refusal of ours', (_name, text) => {
  expect(parseChaincodeRefusal(text)).toBeUndefined();
});

test('details of a refusal are taken only when they are facts: text, numbers, booleans', () => {
  expect(parseChaincodeRefusal('WAYMARK_CONFLICT: {"a":{"b":1},"c":[1],"d":null,"e":"x"}')?.details).toEqual({
    e: 'x',
  });
  expect(parseChaincodeRefusal('WAYMARK_CONFLICT: {not json}')?.details).toEqual({});
});

test.each<[string, status, string, readonly string[], ErrorCode]>([
  [
    'a contract that throws otherwise',
    status.ABORTED,
    'failed to endorse',
    ['chaincode response 500, boom'],
    'chaincode-error',
  ],
  ['a peer that is away', status.UNAVAILABLE, 'No connection established', [], 'unavailable'],
  ['a deadline', status.DEADLINE_EXCEEDED, 'Deadline exceeded', [], 'unavailable'],
  [
    'a busy gateway',
    status.UNKNOWN,
    'too many requests for /gateway.Gateway/Evaluate, exceeding concurrency limit (500)',
    [],
    'unavailable',
  ],
  [
    'an identity that may not',
    status.ABORTED,
    'failed to endorse',
    ['error validating proposal: access denied: channel [ch] creator org [Org1MSP]'],
    'refused',
  ],
  ['a signature on a status request', status.PERMISSION_DENIED, 'failed to verify', [], 'refused'],
  ['a method that is not there', status.UNIMPLEMENTED, 'unknown method', [], 'unsupported'],
  [
    'an orderer that finds it too large',
    status.ABORTED,
    'received unsuccessful response from orderer: status=REQUEST_ENTITY_TOO_LARGE',
    [],
    'limit-exceeded',
  ],
  [
    'a chaincode that is not started',
    status.FAILED_PRECONDITION,
    'no peers available to evaluate chaincode waymark in channel ch',
    [],
    'unavailable',
  ],
])('%s becomes a code', (_name, code, message, details, expected) => {
  expect(fromGatewayFailure(failure(code, message, details)).code).toBe(expected);
});

test('endorsers that disagree are a conflict that may be tried again', () => {
  const mapped = fromGatewayFailure(
    failure(status.ABORTED, 'failed to collect enough transaction endorsements, see attached details for more info', [
      'ProposalResponsePayloads do not match (base64): a vs b',
    ]),
  );
  expect(mapped).toMatchObject({ code: 'transaction-invalid', details: { validationCode: 'ENDORSEMENT_MISMATCH' } });
});

test('a stream that ends without type is unavailable', () => {
  expect(fromGatewayFailure(new TypeError('x'))).toMatchObject({ code: 'unavailable' });
});

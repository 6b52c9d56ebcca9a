import { type JsonObject, maxLookupQueries } from './limits.ts';

const hex = (bytes: number): JsonObject => ({ type: 'string', pattern: `^[0-9a-f]{${String(bytes * 2)}}$` });
const ref = (name: string): JsonObject => ({ $ref: `#/components/schemas/${name}` });
const object = (properties: JsonObject, required = Object.keys(properties)): JsonObject => ({
  type: 'object',
  additionalProperties: false,
  required,
  properties,
});
const list = (items: JsonObject, maxItems: number): JsonObject => ({ type: 'array', items, minItems: 1, maxItems });

/** One JSON call: its request and response schema by name. */
export function jsonCall(call: {
  operationId: string;
  summary: string;
  request?: string;
  response: string;
  parameters?: readonly JsonObject[];
}): JsonObject {
  return {
    operationId: call.operationId,
    summary: call.summary,
    ...(call.parameters === undefined ? {} : { parameters: call.parameters }),
    ...(call.request === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: ref(call.request) } } } }),
    responses: {
      '200': { description: 'Done', content: { 'application/json': { schema: ref(call.response) } } },
      default: {
        description: 'Problem details (RFC 9457)',
        content: { 'application/problem+json': { schema: ref('Problem') } },
      },
    },
  };
}

/** Schemas that both services use. */
export const querySchemas: JsonObject = {
  Problem: {
    type: 'object',
    required: ['type', 'title', 'status', 'code'],
    properties: {
      type: { type: 'string' },
      title: { type: 'string' },
      status: { type: 'integer' },
      detail: { type: 'string' },
      code: { type: 'string' },
    },
  },
  Query: {
    oneOf: [
      object({
        type: { type: 'string', minLength: 1, maxLength: 64 },
        value: { type: 'string', minLength: 1, maxLength: 1024 },
      }),
      object({ recordOid: hex(32) }),
    ],
  },
  Hit: object(
    {
      recordOid: hex(32),
      evidenceId: { type: 'string' },
      leafIndex: { type: 'integer', minimum: 0 },
      cid: { type: 'string' },
      proof: {
        type: ['string', 'null'],
        description:
          "record proof, base64url, of a record that is in the firm's private ledger; null: ask for it by record. " +
          'Missing: its batch stands on the channel as evidence, or proofs were not asked for',
      },
    },
    ['recordOid', 'evidenceId', 'leafIndex', 'cid'],
  ),
  LookupsRequest: object(
    { queries: list(ref('Query'), maxLookupQueries), proofs: { type: 'boolean', default: false } },
    ['queries'],
  ),
  RecordProof: object({ recordOid: hex(32), proof: { type: 'string', description: 'base64url' } }),
  LookupsResponse: object({
    results: {
      type: 'array',
      items: object({ hits: { type: 'array', items: ref('Hit') }, more: { type: 'boolean' } }),
    },
  }),
  Jwk: { type: 'object', required: ['kty'], maxProperties: 16 },
  Consignment: object({ consignmentOid: hex(16), epoch: { type: 'integer', minimum: 0 } }),
  KeysRequest: object({ encryptionKey: ref('Jwk'), consignments: list(ref('Consignment'), maxLookupQueries) }),
  KeysResponse: object({
    ownerKid: { type: 'string' },
    keys: {
      type: 'array',
      items: object({ consignmentOid: hex(16), epoch: { type: 'integer' }, jwe: { type: 'string' } }),
    },
  }),
  FastQueryRequest: object({ encryptionKey: ref('Jwk'), query: ref('Query') }),
  FastQueryResponse: object({
    trust: { const: 'unverified' },
    ownerKid: { type: 'string' },
    records: {
      type: 'array',
      items: object({
        recordOid: hex(32),
        evidenceId: { type: 'string' },
        leafIndex: { type: 'integer' },
        cid: { type: 'string' },
        envelope: { type: 'string', description: 'base64' },
        jwe: { type: 'string' },
      }),
    },
  }),
  Evidence: { type: 'object' },
  Status: { type: 'object' },
};

/** Paths that both services offer. */
export const queryPaths: JsonObject = {
  '/v1/lookups': {
    post: jsonCall({
      operationId: 'lookUp',
      summary: 'Where records lie, by an id that people use or by oid. Hints: a reader proves them.',
      request: 'LookupsRequest',
      response: 'LookupsResponse',
    }),
  },
  '/v1/keys': {
    post: jsonCall({
      operationId: 'handOverKeys',
      summary: "Consignment keys, each sealed to the caller's encryption key.",
      request: 'KeysRequest',
      response: 'KeysResponse',
    }),
  },
  '/v1/fast-queries': {
    post: jsonCall({
      operationId: 'fastQuery',
      summary: 'Envelopes and keys in one answer, from the replica, without a chaincode call (unverified).',
      request: 'FastQueryRequest',
      response: 'FastQueryResponse',
    }),
  },
  '/v1/evidence/{msp}/{outlet}/{seq}': {
    get: jsonCall({
      operationId: 'evidence',
      summary: "The replica's copy of an evidence (unverified).",
      response: 'Evidence',
      parameters: [
        { name: 'msp', in: 'path', required: true, schema: { type: 'string', maxLength: 64 } },
        { name: 'outlet', in: 'path', required: true, schema: { type: 'string', maxLength: 64 } },
        { name: 'seq', in: 'path', required: true, schema: { type: 'integer', minimum: 1 } },
      ],
    }),
  },
  '/v1/records/{oid}/proof': {
    get: jsonCall({
      operationId: 'recordProof',
      summary:
        "What shows that a record is in the firm's private ledger, to be checked against the channel. For whoever knows the record's oid, of all organisations.",
      response: 'RecordProof',
      parameters: [{ name: 'oid', in: 'path', required: true, schema: hex(32) }],
    }),
  },
  '/v1/status': { get: jsonCall({ operationId: 'status', summary: 'Heights, lag and backlog.', response: 'Status' }) },
};

/** A whole OpenAPI 3.1 document from the shared parts and a service's own. */
export function openApiDocument(service: {
  title: string;
  version: string;
  description: string;
  paths?: JsonObject;
  schemas?: JsonObject;
}): JsonObject {
  return {
    openapi: '3.1.0',
    info: {
      title: service.title,
      version: service.version,
      description: service.description,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths: { ...queryPaths, ...service.paths },
    components: { schemas: { ...querySchemas, ...service.schemas } },
  };
}

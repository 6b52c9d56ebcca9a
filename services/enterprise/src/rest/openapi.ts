import { maxCidsPerCall } from '../members/member-client.ts';
import { ledgerPaths, ledgerSchemas } from '@waymark/ledger-operations';
import { jsonCall, openApiDocument, type JsonObject } from '@waymark/query-api';

const batchCid: JsonObject = { type: 'string', pattern: '^b[a-z2-7]{58}$' };

/** The center's OpenAPI 3.1 document. */
export const enterpriseOpenApi: JsonObject = openApiDocument({
  title: 'Waymark enterprise center',
  version: '0.1.0',
  description:
    'Reads for the members of a firm, and external queries (S9). Mutual TLS; errors are RFC 9457 problem details with a stable code. ' +
    'Waymark records claims and who made them; it does not make them true.',
  paths: {
    ...ledgerPaths,
    '/v1/external-queries': {
      post: jsonCall({
        operationId: 'externalQuery',
        summary:
          'Passes a query of somebody outside the consortium to the outlet that holds the data, and its sealed answer back.',
        request: 'ExternalQueryRequest',
        response: 'ExternalQueryResponse',
      }),
    },
    '/v1/pins': {
      post: jsonCall({
        operationId: 'pin',
        summary:
          "For other organisations' centers: keeps batches and bodies of theirs, and gives a signed pin receipt for each.",
        request: 'PinsRequest',
        response: 'PinsResponse',
      }),
    },
    '/v1/pins/check': {
      post: jsonCall({
        operationId: 'checkPins',
        summary:
          "For other organisations' centers: whether batches and bodies are here, whole and intact, read from the own disk.",
        request: 'PinsRequest',
        response: 'HeldResponse',
      }),
    },
    '/v1/pins/{cid}': {
      get: jsonCall({
        operationId: 'pinsOf',
        summary: 'Which organisations keep a batch or body, with their receipts.',
        response: 'PinFacts',
        parameters: [{ name: 'cid', in: 'path', required: true, schema: batchCid }],
      }),
    },
  },
  schemas: {
    ...ledgerSchemas,
    PinsRequest: {
      type: 'object',
      additionalProperties: false,
      required: ['cids'],
      properties: { cids: { type: 'array', minItems: 1, maxItems: maxCidsPerCall, items: batchCid } },
    },
    PinsResponse: {
      type: 'object',
      additionalProperties: false,
      required: ['results'],
      properties: {
        results: {
          type: 'array',
          items: {
            type: 'object',
            additionalProperties: false,
            required: ['cid'],
            properties: {
              cid: { type: 'string' },
              receipt: { type: 'string', description: 'COSE_Sign1, base64; missing when it is not kept' },
              code: { type: 'string', description: 'why it is not' },
            },
          },
        },
      },
    },
    HeldResponse: {
      type: 'object',
      additionalProperties: false,
      required: ['results'],
      properties: {
        results: {
          type: 'array',
          items: {
            type: 'object',
            additionalProperties: false,
            required: ['cid', 'held'],
            properties: { cid: { type: 'string' }, held: { type: 'boolean' } },
          },
        },
      },
    },
    PinFacts: {
      type: 'object',
      additionalProperties: false,
      required: ['cid', 'anchored', 'replicated', 'receipts'],
      properties: {
        cid: { type: 'string' },
        anchored: { type: 'boolean' },
        replicated: { type: 'integer', description: 'organisations that hold it' },
        receipts: {
          type: 'array',
          items: {
            type: 'object',
            additionalProperties: false,
            required: ['mspId', 'node', 'state', 'pinnedAt', 'receipt'],
            properties: {
              mspId: { type: 'string' },
              node: { type: 'string' },
              state: { enum: ['held', 'away', 'lost'], description: 'by the receipt, or by the last check' },
              pinnedAt: { type: 'string', format: 'date-time' },
              receipt: { type: 'string', description: 'COSE_Sign1, base64' },
            },
          },
        },
      },
    },
    ExternalQueryRequest: {
      type: 'object',
      additionalProperties: false,
      required: ['request'],
      properties: {
        request: { type: 'string', minLength: 1, maxLength: 16_384, description: 'compact JWS by the asker' },
      },
    },
    ExternalQueryResponse: {
      type: 'object',
      additionalProperties: false,
      required: ['outlet', 'answer'],
      properties: { outlet: { type: 'string' }, answer: { type: 'string', description: 'compact JWE for the asker' } },
    },
  },
});

import { ledgerPaths, ledgerSchemas } from '@waymark/ledger-operations';
import { jsonCall, openApiDocument, type JsonObject } from '@waymark/query-api';

const hex16: JsonObject = { type: 'string', pattern: '^[0-9a-f]{32}$' };
const kids: JsonObject = { type: 'array', maxItems: 1024, items: { type: 'string', pattern: '^[A-Za-z0-9_-]{43}$' } };

/** The outlet's OpenAPI 3.1 document. */
export const departmentOpenApi: JsonObject = openApiDocument({
  title: 'Waymark outlet',
  version: '0.1.0',
  description:
    'Reads for the members of a firm, and the list of who may ask external queries (S9). Mutual TLS; errors are RFC 9457 problem details ' +
    'with a stable code. Waymark records claims and who made them; it does not make them true.',
  paths: {
    ...ledgerPaths,
    '/v1/allow-list': {
      get: jsonCall({
        operationId: 'allowLists',
        summary: 'Who may ask external queries, by consignment.',
        response: 'AllowLists',
      }),
      put: jsonCall({
        operationId: 'putAllowList',
        summary: 'Replaces the list of one consignment; the outlet signs it. Names the consignment, or a record of it.',
        request: 'AllowListRequest',
        response: 'AllowList',
      }),
    },
  },
  schemas: {
    ...ledgerSchemas,
    AllowListRequest: {
      type: 'object',
      additionalProperties: false,
      required: ['consignment', 'askerKids'],
      properties: { consignment: { type: 'string', minLength: 1, maxLength: 256 }, askerKids: kids },
    },
    AllowList: {
      type: 'object',
      required: ['consignmentOid', 'seq', 'askerKids'],
      properties: { consignmentOid: hex16, seq: { type: 'integer' }, askerKids: kids },
    },
    AllowLists: {
      type: 'object',
      required: ['lists'],
      properties: { lists: { type: 'array', items: { $ref: '#/components/schemas/AllowList' } } },
    },
  },
});

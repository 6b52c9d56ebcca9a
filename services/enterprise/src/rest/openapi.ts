import { jsonCall, openApiDocument, type JsonObject } from '@waymark/query-api';

/** The center's OpenAPI 3.1 document. */
export const enterpriseOpenApi: JsonObject = openApiDocument({
  title: 'Waymark enterprise center',
  version: '0.1.0',
  description:
    'Reads for the members of a firm, and external queries (S9). Mutual TLS; errors are RFC 9457 problem details with a stable code. ' +
    'Waymark records claims and who made them; it does not make them true.',
  paths: {
    '/v1/external-queries': {
      post: jsonCall({
        operationId: 'externalQuery',
        summary:
          'Passes a query of somebody outside the consortium to the outlet that holds the data, and its sealed answer back.',
        request: 'ExternalQueryRequest',
        response: 'ExternalQueryResponse',
      }),
    },
  },
  schemas: {
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

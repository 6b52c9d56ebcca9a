import { jsonCall, type JsonObject } from '@waymark/query-api';
import { maxBlocksListed } from './blocks.ts';

const count: JsonObject = { type: 'integer', minimum: 0 };
const text: JsonObject = { type: 'string' };
const textOrNull: JsonObject = { type: ['string', 'null'] };
const name: JsonObject = { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$' };
const inPath = (parameter: string, schema: JsonObject): JsonObject => ({
  name: parameter,
  in: 'path',
  required: true,
  schema,
});
const inQuery = (parameter: string, schema: JsonObject): JsonObject => ({ name: parameter, in: 'query', schema });
const object = (properties: JsonObject, required: readonly string[] = Object.keys(properties)): JsonObject => ({
  type: 'object',
  required,
  properties,
});
const list = (items: JsonObject): JsonObject => ({ type: 'array', items });

const row = {
  height: count,
  hash: text,
  epoch: count,
  term: count,
  center: text,
  timestamp: { type: 'string' },
  accepted: count,
  rejected: count,
  anchorTxId: textOrNull,
};

/** Schemas of the calls about a private ledger. */
export const ledgerSchemas: JsonObject = {
  LedgerStatus: object({
    ledger: text,
    member: text,
    center: textOrNull,
    term: count,
    height: count,
    confirmed: count,
    applied: count,
    anchored: count,
    epoch: count,
    members: list(object({ id: text, role: { enum: ['center', 'standby', 'department'] }, height: { type: ['integer', 'null'] }, lag: { type: ['integer', 'null'] } })), // prettier-ignore
    learners: list(object({ id: text, height: { type: ['integer', 'null'] }, lag: { type: ['integer', 'null'] } })),
    pendingEpoch: { type: ['integer', 'null'] },
    alerts: count,
    alertList: list(object({ kind: text, height: count, file: text, report: text })),
  }),
  LedgerBlocks: object({ height: count, blocks: list(object(row)) }),
  LedgerBlock: object({
    ...row,
    ledger: text,
    prev: text,
    root: text,
    body: text,
    kind: { enum: ['records', 'configuration', 'empty'] },
    anchor: { type: ['object', 'null'] },
    submissions: list(
      object({
        department: text,
        seq: count,
        hash: text,
        records: count,
        rejected: list(object({ index: count, recordOid: text, reason: text, text })),
      }),
    ),
    configuration: { type: ['object', 'null'] },
    acks: list(object({ member: text, time: text })),
  }),
  LedgerTaskRequest: {
    oneOf: [object({ kind: { const: 'verify' } }), object({ kind: { const: 'backup' }, name })],
  },
  LedgerTask: object(
    {
      id: { type: 'string', format: 'uuid' },
      kind: { enum: ['verify', 'backup'] },
      state: { enum: ['running', 'done', 'failed'] },
      startedAt: { type: 'string', format: 'date-time' },
      result: {
        type: 'object',
        description:
          'of verify: {ledger, height, blocks, valid, problems: [{height, code, message}], anchored}; of backup: its manifest and folder',
      },
      problem: object({ code: text, message: text }),
    },
    ['id', 'kind', 'state', 'startedAt'],
  ),
  LedgerHandOver: object({ member: name }),
  LedgerMembershipStep: object({ step: { enum: ['add-learner', 'promote', 'make-eligible', 'remove'] }, member: name }),
  LedgerChange: object({ changed: { type: 'boolean', description: 'false: it is so already' } }),
};

/** Paths that every member of a private ledger offers. */
export const ledgerPaths: JsonObject = {
  '/v1/ledger': {
    get: jsonCall({
      operationId: 'ledgerStatus',
      summary: 'How the private ledger stands, as this member knows it. Anybody of the firm.',
      response: 'LedgerStatus',
    }),
  },
  '/v1/ledger/blocks': {
    get: jsonCall({
      operationId: 'ledgerBlocks',
      summary: 'Blocks in order, from a height on; without one the newest.',
      response: 'LedgerBlocks',
      parameters: [
        inQuery('from', { type: 'integer', minimum: 1 }),
        inQuery('limit', { type: 'integer', minimum: 1, maximum: maxBlocksListed, default: 20 }),
      ],
    }),
  },
  '/v1/ledger/blocks/{block}': {
    get: jsonCall({
      operationId: 'ledgerBlock',
      summary: 'One block by height or hash: submissions, rejected records with their reasons, seals. No content.',
      response: 'LedgerBlock',
      parameters: [inPath('block', { type: 'string', pattern: '^[a-z0-9]{1,128}$' })],
    }),
  },
  '/v1/ledger/tasks': {
    post: jsonCall({
      operationId: 'ledgerTask',
      summary:
        "Starts a full check of the member's chain against the channel, or (operators) a backup below `<dataFolder>/backups`. One at a time; the same one again is joined.",
      request: 'LedgerTaskRequest',
      response: 'LedgerTask',
    }),
  },
  '/v1/ledger/tasks/{id}': {
    get: jsonCall({
      operationId: 'ledgerTaskState',
      summary: 'How it stands.',
      response: 'LedgerTask',
      parameters: [inPath('id', { type: 'string', format: 'uuid' })],
    }),
  },
  '/v1/ledger/hand-over': {
    post: jsonCall({
      operationId: 'ledgerHandOver',
      summary: 'At the center in office, by an operator: orders the hand-over of the office.',
      request: 'LedgerHandOver',
      response: 'LedgerChange',
    }),
  },
  '/v1/ledger/membership': {
    post: jsonCall({
      operationId: 'ledgerMembership',
      summary: 'At the center in office, by an operator: one step of a change of the members.',
      request: 'LedgerMembershipStep',
      response: 'LedgerChange',
    }),
  },
};

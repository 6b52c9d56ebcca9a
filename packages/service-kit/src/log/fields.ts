import { isWaymarkError } from '@waymark/protocol';

/**
 * The only names under which a log line carries facts. What is not on this list is dropped, so that a payload, a key or a
 * personal datum cannot slip in under a new name (architecture invariant 1).
 */
const permitted = [
  'attempt',
  'batchHash',
  'blockNumber',
  'certificate',
  'chaincode',
  'channel',
  'cid',
  'code',
  'component',
  'count',
  'dataFolder',
  'delayMs',
  'durationMs',
  'endpoint',
  'enrolmentId',
  'evidenceId',
  'exitCode',
  'height',
  'host',
  'kind',
  'method',
  'mspId',
  'operation',
  'outcome',
  'outlet',
  'peer',
  'pid',
  'port',
  'ready',
  'reason',
  'recordOid',
  'requestId',
  'route',
  'seq',
  'signal',
  'sizeBytes',
  'state',
  'status',
  'term',
  'traceId',
  'txId',
  'validationCode',
  'version',
] as const;

/** Name of a fact in a log line. */
type LogFieldName = (typeof permitted)[number];

/** Facts of a log line; `error` is anything that was thrown. */
export type LogFields = { readonly [Name in LogFieldName]?: string | number | bigint | boolean | undefined } & {
  readonly error?: unknown;
};

const permittedNames = new Set<string>(permitted);
const maxTextLength = 500;
const maxCauses = 3;
const maxFrames = 12;

type Loggable = Record<string, unknown>;

/** What of `fields` may stand in a log. */
export function permittedFields(fields: LogFields): Loggable {
  const kept: Loggable = {};
  const dropped: string[] = [];
  for (const [name, value] of Object.entries(fields)) {
    if (name === 'error') kept['error'] = describeError(value);
    else if (!permittedNames.has(name)) dropped.push(name.slice(0, 50));
    else if (typeof value === 'string') kept[name] = value.slice(0, maxTextLength);
    else if (typeof value === 'bigint') kept[name] = String(value);
    else if (typeof value === 'number' || typeof value === 'boolean') kept[name] = value;
  }
  if (dropped.length > 0) kept['dropped'] = dropped;
  return kept;
}

/**
 * What a log may say of an error. Messages of `WaymarkError` are written to be shown; others may quote what they could not
 * read (`JSON.parse` does), so that only their type, system code and stack frames are kept.
 */
function describeError(error: unknown, depth = 0): Loggable {
  if (!isError(error)) return { type: typeof error };
  const cause =
    error.cause === undefined || depth === maxCauses ? {} : { cause: describeError(error.cause, depth + 1) };
  if (isWaymarkError(error)) {
    return { code: error.code, message: error.message.slice(0, maxTextLength), details: error.details, ...cause };
  }
  const systemCode = 'code' in error && typeof error.code === 'string' ? { systemCode: error.code.slice(0, 100) } : {};
  return { type: error.name.slice(0, 100), ...systemCode, frames: framesOf(error), ...cause };
}

/** Also true for errors of another realm, such as a worker's or a virtual machine's. */
function isError(value: unknown): value is Error {
  return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]';
}

function framesOf(error: Error): string[] {
  return (error.stack ?? '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /^at .*(?:\(.*\)|:\d+:\d+)$/.test(line))
    .slice(0, maxFrames);
}

/** What a request asks for, or the status that refuses it (IPFS trustless gateway specification). */
export type Negotiated =
  | { readonly kind: 'raw' }
  | { readonly kind: 'car'; readonly scope: 'block' | 'all' }
  | { readonly kind: 'refused'; readonly status: 400 | 406; readonly reason: string };

const rawType = 'application/vnd.ipld.raw';
const carType = 'application/vnd.ipld.car';

/** Decides by the `format` parameter, else by the Accept header. */
export function negotiate(query: URLSearchParams, accept: string | undefined): Negotiated {
  const format = query.get('format');
  const types = (accept ?? '').split(',').map((part) => part.trim().toLowerCase());
  if (format === 'raw') return { kind: 'raw' };
  if (format === 'car') return car(query, types.find(isCar) ?? '');
  if (format !== null) return refused(406, 'format is not raw or car');
  for (const type of types) {
    if (type.split(';')[0]?.trim() === rawType) return { kind: 'raw' };
    if (isCar(type)) return car(query, type);
  }
  return refused(406, `ask for ${rawType} or ${carType}`);
}

function isCar(type: string): boolean {
  return type.split(';')[0]?.trim() === carType;
}

function car(query: URLSearchParams, type: string): Negotiated {
  const version = query.get('car-version') ?? parameterOf(type, 'version');
  if (version !== undefined && version !== '1') return refused(400, 'only CAR version 1 is served');
  const order = query.get('car-order') ?? parameterOf(type, 'order');
  if (order !== undefined && order !== 'dfs' && order !== 'unk') return refused(400, 'order is not dfs or unk');
  if (query.has('entity-bytes')) return refused(400, 'entity-bytes is not served');
  const scope = query.get('dag-scope') ?? 'all';
  if (scope !== 'block' && scope !== 'all') return refused(400, 'dag-scope is not block or all');
  return { kind: 'car', scope };
}

function parameterOf(type: string, name: string): string | undefined {
  for (const parameter of type.split(';').slice(1)) {
    const [key, value] = parameter.split('=');
    if (key?.trim() === name) return value?.trim();
  }
  return undefined;
}

function refused(status: 400 | 406, reason: string): Negotiated {
  return { kind: 'refused', status, reason };
}

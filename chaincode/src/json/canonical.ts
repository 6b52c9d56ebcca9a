/**
 * JSON with keys sorted by UTF-16 code units, as in RFC 8785, so that every endorser writes the same bytes. Properties that are
 * `undefined` are left out. Numbers must be safe integers: nothing on chain needs others, and their text would be a
 * matter of the engine.
 *
 * @throws TypeError for anything else than JSON: a fault of this chaincode, never of its input
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object') throw new TypeError('only JSON without fractions is written');
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}

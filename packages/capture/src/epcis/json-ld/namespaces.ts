/** What the prefixes of a JSON-LD context stand for (JSON-LD 1.1 section 4.1.5, compact IRIs). No context is fetched. */
import { isObject } from '../../json/value.ts';

/** Prefix → namespace. */
export type Namespaces = ReadonlyMap<string, string>;

/** Prefixes that the context of the EPCIS standard declares. */
const ofTheStandard: Namespaces = new Map([
  ['epcis', 'https://ref.gs1.org/epcis/'],
  ['cbv', 'https://ref.gs1.org/cbv/'],
  ['cbvmda', 'urn:epcglobal:cbv:mda'],
  ['gs1', 'https://gs1.org/voc/'],
  ['rdfs', 'http://www.w3.org/2000/01/rdf-schema#'],
  ['owl', 'http://www.w3.org/2002/07/owl#'],
  ['xsd', 'http://www.w3.org/2001/XMLSchema#'],
  ['dcterms', 'http://purl.org/dc/terms/'],
]);

function declared(definition: unknown): string | undefined {
  if (typeof definition === 'string') return definition;
  const id = isObject(definition) ? definition['@id'] : undefined;
  return typeof id === 'string' ? id : undefined;
}

/** The namespaces of the standard, and what `contexts` declare, the later over the earlier. */
export function namespacesOf(...contexts: readonly unknown[]): Namespaces {
  const namespaces = new Map(ofTheStandard);
  for (const part of contexts.flatMap((context): readonly unknown[] =>
    Array.isArray(context) ? context : [context],
  )) {
    if (!isObject(part)) continue;
    for (const [prefix, definition] of Object.entries(part)) {
      const namespace = declared(definition);
      if (namespace !== undefined && !prefix.startsWith('@')) namespaces.set(prefix, namespace);
    }
  }
  return namespaces;
}

/** A name taken apart by a declared prefix; `undefined` when it is not a compact IRI. */
export function splitCompact(name: string, namespaces: Namespaces): { namespace: string; local: string } | undefined {
  const colon = name.indexOf(':');
  if (colon < 0) return undefined;
  const local = name.slice(colon + 1);
  const namespace = local.startsWith('//') ? undefined : namespaces.get(name.slice(0, colon));
  return namespace === undefined ? undefined : { namespace, local };
}

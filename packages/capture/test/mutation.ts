/** Seeded changes of JSON documents: each damages, or only changes, one place. */

/** A small generator of numbers that a seed repeats exactly (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Not `structuredClone`: under jest its objects belong to another realm, and compare as different. */
function copyOf(value: unknown): unknown {
  return value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as unknown);
}

type Mutable = { [key: string]: unknown } | unknown[];

const words = [
  '', 'OBSERVE', 'ADD', 'DELETE', 'observe', 'RESIZE', 'receiving', 'in_transit', 'po', 'owning_party', 'Temperature',
  'ALARM_CONDITION', 'latitude', 'incorrect_data', 'ObjectEvent', 'AggregationEvent', 'TransactionEvent',
  'TransformationEvent', 'AssociationEvent', 'EPCISDocument', 'EPCISQueryDocument', 'example:OwnEvent', 'NoEvent',
  'urn:epcglobal:cbv:bizstep:receiving', 'urn:epcglobal:cbv:disp:in_transit', 'https://ref.gs1.org/cbv/BizStep-packing',
  'http://ns.gs1.org/cbv/BizStep-packing', 'https://gs1.org/voc/Temperature', 'http://www.gs1.org/voc/Temperature',
  'gs1:Temperature', 'urn:epc:id:sgtin:4012345.011111.98%22', 'urn:epc:id:sgtin:4012345.011111.98"', 'not a uri', 'urn:',
  'http://', 'http://[::1]/a', 'http://[::1', 'https://example.com/a b', 'https://example.com/ü', 'HTTPS://EXAMPLE.COM/%zz',
  'a:/b:c/d', '//example.com/x', 'mailto:a@b.example', 'geo:50.9,6.9', 'https://u@h.example:80/p?q=1#f', 'x:y#z#w',
  '2026-03-01T08:00:00Z', '2026-03-01T08:00:00', '2026-02-29T08:00:00Z', '2024-02-29T08:00:00.1234567+14:00',
  '2026-13-01T08:00:00Z', '2026-03-01T24:00:00Z', '2026-03-01T23:59:60Z', '2026-03-01T12:59:60Z', '2026-03-01t08:00:00z',
  '2026-03-01 08:00:00Z', '2026-03-01T08:00:00+0100', '2026-03-01T08:00:00+01', '2026-03-01T08:00:00+24:00', '2026-03-01',
  '08:00:00Z', '2026-3-1T08:00:00Z', '2026-03-01T08:00Z', '2026-03-01T08:00:00.Z', '+01:00', '-14:00', '+14:01', '+13:59',
  '01:00', '+1:00', 'Z', '+00:60', 'KGM', 'kgm', 'K', 'KGMX', 'f0F0', 'f0g0', '2.0', '2', 'v2', '2.', '1.2.3',
] as const; // prettier-ignore

const values: readonly (() => unknown)[] = [
  () => null,
  () => true,
  () => 7,
  () => -1.5,
  () => [],
  () => ({}),
  () => [null],
  () => ['https://example.com/1'],
  () => ['https://example.com/1', 'https://example.com/1'],
  () => ({ id: 'https://example.com/1' }),
  () => [{ ex: 'https://example.com/ns/' }, { ex: 'https://example.com/ns/' }],
];

const names = [
  'extra', 'example:extra', 'https://example.com/extra', 'ilmd', 'action', 'persistentDisposition', 'recordTime', 'eventID',
  'errorDeclaration', 'certificationInfo', '@context', 'id', 'type', 'parentID', 'transformationID', 'epcList', 'quantityList',
  'childEPCs', 'sensorElementList', 'sender', 'rdfs:comment', '', 'a b:c',
] as const; // prettier-ignore

function containers(value: unknown, found: Mutable[] = []): Mutable[] {
  if (typeof value === 'object' && value !== null) {
    const container = value as Mutable;
    found.push(container);
    Object.values(container).forEach((member) => containers(member, found));
  }
  return found;
}

/** A copy of `document` with one to three seeded changes. */
export function mutate(document: unknown, random: () => number): unknown {
  const copy = copyOf(document);
  const changes = 1 + Math.floor(random() * random() * 3);
  for (let change = 0; change < changes; change++) changeOnce(copy, random);
  return copy;
}

function pick<T>(items: readonly T[], random: () => number): T {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}

function newValue(random: () => number): unknown {
  return random() < 0.7 ? pick(words, random) : pick(values, random)();
}

function changeOnce(root: unknown, random: () => number): void {
  const container = pick(containers(root), random);
  const dice = random();
  if (Array.isArray(container)) {
    const index = Math.floor(random() * container.length);
    if (dice < 0.25) container.splice(index, 1);
    else if (dice < 0.5) container.push(copyOf(container[index]));
    else if (dice < 0.6) container.length = 0;
    else container[index] = newValue(random);
    return;
  }
  const members = Object.keys(container);
  const name = members.length === 0 ? 'extra' : pick(members, random);
  if (dice < 0.3) Reflect.deleteProperty(container, name);
  else if (dice < 0.75) container[name] = newValue(random);
  else container[pick(names, random)] = random() < 0.5 ? newValue(random) : copyOf(container[name]);
}

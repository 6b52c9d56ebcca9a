import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateEncryptionKeyPair } from '@waymark/vault';
import { allow, askExternally, newAsker } from './support/external-query.ts';
import { secretsOf } from './support/firm-secrets.ts';
import { connectOutlet, type ScenarioRecord } from './support/outlet-client.ts';
import { operatorPages, provokeErrors } from './support/provoked-errors.ts';
import { type Firm, runConsortium, type RunningConsortium } from './support/running-consortium.ts';
import { type Canary, canaryDigits, canaryWord, needlesOf, textCanary } from './support/search/canary.ts';
import { memoryUnreadable, searchMemory } from './support/search/process-memory.ts';
import { createScanner } from './support/search/scanner.ts';
import { type Finding, searchFolder, searchTexts } from './support/search/search-folder.ts';
import { openTrustedReading, type TrustedReading } from './support/trusted-reading.ts';

/** Where a secret lies by design, and why. Everything else is a leak. */
const permitted: readonly { readonly place: RegExp; readonly canary: RegExp; readonly why: string }[] = [
  { place: /\/private-key\.pem$/, canary: / private key$/, why: 'the identity of the node, mode 0600' },
  { place: /\/tls-private-key\.pem$/, canary: / TLS private key$/, why: "the listener's key, mode 0600" },
  { place: /\/passphrase$/, canary: / passphrase$/, why: 'opens the key store of the node, mode 0600' },
  {
    place: /\/(?:reader|client)\/encryption-key\.json$/,
    canary: / encryption key(?: seed)?$/,
    why: "a person's own key",
  },
  { place: /\/index-root$/, canary: / index root$/, why: 'provisioning gives it to every node of the firm, mode 0600' },
];

/** What one firm's records hold: all of it must stay between outlet and reader. */
interface FirmCanaries {
  readonly firm: Firm;
  readonly records: readonly ScenarioRecord[];
  readonly canaries: readonly Canary[];
  /** Those of payloads alone: what the center may not hold either. */
  readonly payload: readonly Canary[];
}

test(
  'no canary of a payload, key or personal datum is in any file, log, error, answer or metric after the whole cycle',
  async () => {
    const running = await runConsortium();
    const copy = await mkdtemp(join(tmpdir(), 'waymark-canary-'));
    try {
      const told = new Map<string, string>();
      const keep = (name: string, text: string): void => void told.set(name, text);
      const [north, south] = running.firms;
      const sides = [canariesOf(north), canariesOf(south)];
      const secrets: Canary[] = [];
      for (const [index, side] of sides.entries()) {
        secrets.push(...(await wholeCycle(running, side, index === 0 ? south : north, keep)));
      }
      await operatorPages(running.consortium, keep);

      const canaries = [...sides.flatMap((side) => side.canaries), ...secrets];
      const scanner = createScanner(canaries.flatMap(needlesOf));
      // While everything runs: write-ahead logs and open tables are there as well.
      await cp(running.folder, join(copy, 'running'), { recursive: true, filter: (path) => !path.endsWith('LOCK') });
      const whileRunning = await searchFolder(join(copy, 'running'), scanner);
      // A database that is opened again turns its log into tables, which are packed.
      for (const node of running.consortium.channel.nodes) {
        await node.stop();
        await running.consortium.restart(node.name);
      }
      await running.stop();
      const afterwards = await searchFolder(running.folder, scanner);
      const findings = [...whileRunning.findings, ...afterwards.findings];
      process.stderr.write(
        `canary: ${String(canaries.length)} canaries, ${String(scanner.needleCount)} forms, ` +
          `${String(whileRunning.files + afterwards.files)} files, ${String(whileRunning.sizeBytes + afterwards.sizeBytes)} bytes, ` +
          `${String(told.size)} answers; kinds ${JSON.stringify(whileRunning.kinds)}\n`,
      );
      expect(findings.filter((finding) => !isPermitted(finding))).toEqual([]);
      // The place of a mistake is told to whoever made it, and it may name a member; no value, and nothing of a stored record.
      const inAnswers = searchTexts(told, scanner).filter(({ canary }) => !canary.endsWith(' bait member'));
      expect(inAnswers).toEqual([]);
      // The search has looked: it found every secret in the one place that is its own.
      for (const { place } of permitted)
        expect(findings.map((finding) => finding.place)).toContainEqual(expect.stringMatching(place));
      for (const kind of ['sqlite', 'sqlite-wal', 'leveldb-log', 'log', 'block-file', 'car']) {
        expect([kind, (whileRunning.kinds[kind] ?? 0) > 0]).toEqual([kind, true]);
      }
      expect(afterwards.kinds['leveldb-table']).toBeGreaterThan(0);
    } finally {
      await running.end();
      await rm(copy, { recursive: true, force: true });
    }
  },
  5 * 60_000,
);

const onLinux = memoryUnreadable === undefined ? test : test.skip;
onLinux(
  `a center that is no recipient never holds a payload in its memory, while its outlet does${memoryUnreadable ?? ''}`,
  async () => {
    const running = await runConsortium();
    try {
      const firm = running.firms.find(({ organisation }) => !organisation.centerIsRecipient);
      if (firm === undefined) throw new Error('the topology has a firm whose center is no recipient');
      const side = canariesOf(firm);
      const recordOids = await submit(side);
      const known = textCanary('evidence id', `${firm.mspId}/${firm.outletName}/1`);
      const scanner = createScanner([...side.payload, known].flatMap(needlesOf));
      const look = async (kind: 'center' | 'outlet'): Promise<Set<string>> => {
        const service = running.consortium.services.find(
          (item) => item.organisation.mspId === firm.mspId && item.kind === kind,
        );
        const { found } = await searchMemory(service?.process.pid ?? 0, scanner);
        return new Set(found.map(({ canary }) => canary));
      };
      const payloadNames = side.payload.map(({ name }) => name);

      const outletAfterSubmit = await look('outlet');
      expect(payloadNames.filter((name) => outletAfterSubmit.has(name))).not.toEqual([]);
      const centerAfterSubmit = await look('center');
      expect([...centerAfterSubmit]).toEqual(['evidence id']);

      const asker = newAsker();
      await allow(firm, side.records[0]?.consignment ?? '', asker);
      const { opened } = await askUntilAnswered(firm, asker, recordOids[0] ?? '');
      expect(opened?.content.payload).toEqual(side.records[0]?.payload);
      const outletAfterAnswer = await look('outlet');
      expect(payloadNames.filter((name) => outletAfterAnswer.has(name))).not.toEqual([]);
      const centerAfterAnswer = await look('center');
      expect([...centerAfterAnswer]).toEqual(['evidence id']);
    } finally {
      await running.end();
    }
  },
  5 * 60_000,
);

/** A few records whose every personal or confidential datum is a canary. */
function canariesOf(firm: Firm): FirmCanaries {
  const canaries: Canary[] = [];
  const payload: Canary[] = [];
  const note = (list: Canary[], name: string, text: string): string => {
    const canary = textCanary(`${firm.mspId} ${name}`, text);
    canaries.push(canary);
    if (list !== canaries) list.push(canary);
    return text;
  };
  const records = ['first', 'second', 'third'].map((which): ScenarioRecord => {
    const word = (what: string): string => note(canaries, `${which} ${what}`, canaryWord());
    const inside = (what: string): string => note(payload, `${which} payload ${what}`, canaryWord());
    return {
      eventId: `urn:uuid:${word('event id')}`,
      consignment: `consignment ${word('consignment')}`,
      businessIds: [
        { type: 'order', value: word('order') },
        { type: 'sscc', value: withCheckDigit(note(canaries, `${which} sscc`, canaryDigits(17))) },
        { type: 'parcel', value: `JJD ${word('parcel')}` },
      ],
      payload: {
        consignee: {
          name: `Zoë ${inside('consignee')}`,
          street: inside('street'),
          phone: note(payload, `${which} payload phone`, canaryDigits(15)),
        },
        goods: [{ description: inside('goods'), [inside('member')]: true }],
        signature: Buffer.from(inside('signature')).toString('base64'),
        note: `${inside('note')} — left with the neighbour`,
      },
    };
  });
  return { firm, records, canaries, payload };
}

/** GS1 General Specifications, section 7.9.1. */
function withCheckDigit(digits: string): string {
  const sum = Array.from(digits)
    .reverse()
    .reduce((total, digit, index) => total + Number(digit) * (index % 2 === 0 ? 3 : 1), 0);
  return `${digits}${String((10 - (sum % 10)) % 10)}`;
}

/** Submits all records; returns their oids. */
async function submit({ firm, records }: FirmCanaries): Promise<string[]> {
  const outlet = connectOutlet(firm, await firm.identity('client'));
  try {
    const outcomes = await outlet.submit(records);
    return outcomes.map(({ anchored, failure }) => {
      if (anchored === undefined) throw new Error(`not anchored: ${failure?.code ?? ''} ${failure?.message ?? ''}`);
      return anchored.recordOid;
    });
  } finally {
    outlet.close();
  }
}

/** Submits, reads in all three ways, provokes errors; returns the secrets that the firm's nodes hold. */
async function wholeCycle(
  running: RunningConsortium,
  side: FirmCanaries,
  stranger: Firm,
  keep: (name: string, text: string) => void,
): Promise<Canary[]> {
  const { firm, records } = side;
  const [record] = records;
  if (record === undefined) throw new Error('there are records');
  const recordOids = await submit(side);
  const reading = await openTrustedReading(running, firm);
  try {
    await readTrusted(reading, records);
    await readFast(firm, record, reading, keep);
    const asker = newAsker();
    await allow(firm, record.consignment, asker);
    const { answer, opened } = await askUntilAnswered(firm, asker, recordOids[0] ?? '');
    expect(opened?.content.payload).toEqual(record.payload);
    keep(`${firm.mspId} external answer`, answer.text);
    const order = record.businessIds?.[0];
    if (order === undefined) throw new Error('the record has an order');
    keep(`${firm.mspId} by business id`, (await askExternally(firm, asker, { businessId: { ...order } })).answer.text);
    const provoked = await provokeErrors(firm, stranger, record, baitOf(side), keep);
    expect(provoked).toBeGreaterThan(60);
    const consignmentKeys = reading.consignmentKeys.map((bytes, index) => ({
      name: `${firm.mspId} consignment key ${String(index)}`,
      bytes,
    }));
    expect(consignmentKeys.length).toBeGreaterThanOrEqual(records.length);
    return [...(await secretsOf(running.consortium, firm)), ...consignmentKeys];
  } finally {
    await reading.close();
  }
}

/** Canaries of their own for what is wrong, so that one found tells where it came from. */
function baitOf({ firm, canaries }: FirmCanaries) {
  const bait = {
    text: canaryWord(),
    businessId: canaryWord(),
    consignment: canaryWord(),
    eventId: canaryWord(),
    member: canaryWord(),
  };
  for (const [name, text] of Object.entries(bait)) {
    (canaries as Canary[]).push(textCanary(`${firm.mspId} bait ${name}`, text));
  }
  return bait;
}

/** Reads every record by every id; the index follows the channel, so the first may take a moment. */
async function readTrusted(reading: TrustedReading, records: readonly ScenarioRecord[]): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const queries = records.flatMap(({ eventId, businessIds = [], consignment }) => [
      { type: 'event', value: eventId },
      { type: 'consignment', value: consignment },
      ...businessIds.map(({ type, value }) => ({ type, value })),
    ]);
    const answers = await reading.trace(queries);
    if (answers.every((outcomes) => outcomes.length > 0)) {
      for (const outcome of answers.flat()) if ('error' in outcome) throw outcome.error;
      return;
    }
    if (Date.now() > deadline) throw new Error('the index does not follow the channel');
  }
}

async function readFast(
  firm: Firm,
  record: ScenarioRecord,
  { rest }: TrustedReading,
  keep: (name: string, text: string) => void,
): Promise<void> {
  const encryptionKey = generateEncryptionKeyPair('P-256').publicKey.jwk;
  const answer = await rest('POST', '/v1/fast-queries', {
    encryptionKey,
    query: { type: 'event', value: record.eventId },
  });
  expect(answer.body).toMatchObject({ trust: 'unverified', records: [{}] });
  keep(`${firm.mspId} fast answer`, answer.text);
}

/** The center's replica may be a moment behind the outlet's. */
async function askUntilAnswered(
  firm: Firm,
  asker: ReturnType<typeof newAsker>,
  recordOid: string,
): ReturnType<typeof askExternally> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const result = await askExternally(firm, asker, { recordOid });
    if (result.opened !== undefined || Date.now() > deadline) return result;
  }
}

function isPermitted({ place, canary }: Finding): boolean {
  return permitted.some((item) => item.place.test(place) && item.canary.test(canary));
}

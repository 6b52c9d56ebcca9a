import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadOrganisationCa } from '@waymark/devnet/ca';
import { CenterClient, clientCredentials, clientOptions, openBidi } from '@waymark/transport';
import { generateEncryptionKeyPair, signingIdentityFromPem, signKeyStatement } from '@waymark/vault';
import type { Built } from '../../../services/enterprise/test/harness/raw-outlet.ts';
import { connectOutlet } from '../../support/outlet-client.ts';
import { type RestAnswer, restClient } from '../../support/rest-client.ts';
import type { Firm, Identity } from '../../support/running-consortium.ts';
import { connectLedger } from '../../support/trusted-reading.ts';
import { changeRegister, issue } from '../enrolment.ts';
import { codeOf, enrolledOutlet, handOutlet } from '../raw-upload.ts';
import { chaincodeText } from '../refusal-texts.ts';
import { submitAt } from '../skewed-clock.ts';
import { refused, type Scenario, type System, until } from '../system.ts';

const dayMs = 24 * 3_600_000;

/** What both services of a firm say to somebody who asks how they are. */
async function statusOf(firm: Firm, identity: Identity): Promise<string[]> {
  const answers = [firm.ports.center, firm.ports.outlet].map(({ apiPort }) =>
    restClient(firm, apiPort, identity)('GET', '/v1/status'),
  );
  return (await Promise.all(answers)).map(({ status, body }) => (status === 200 ? 'ok' : String(body?.['code'])));
}

async function untilStatus(firm: Firm, identity: Identity, expected: string): Promise<void> {
  await until(`both services to answer "${expected}"`, async () => {
    const answers = await statusOf(firm, identity);
    return answers.every((answer) => answer === expected) ? true : undefined;
  });
}

export const identityScenarios: readonly Scenario[] = [
  {
    name: 'a certificate of another organisation is refused at every door of a firm',
    serves: ['S4', 'V4'],
    async run(system) {
      const { first, second } = system;
      const stranger = await second.identity('reader');
      const outlet = connectOutlet(first, stranger);
      await refused(
        outlet.submit([{ eventId: 'urn:acceptance:stranger', consignment: 'none', payload: {} }]),
        'unavailable',
        'certificate-untrusted',
        'refused',
      );
      outlet.close();
      const center = handOutlet(system, first, { enrolmentId: 'reader', ...stranger });
      await refused(center.position(), 'unavailable', 'certificate-untrusted', 'recipient-mismatch');
      center.close();
      // It says that it is of the firm: the peer checks.
      const ledger = connectLedger(first, stranger);
      await refused(
        ledger.evaluate('evidence', 'list', [first.mspId, first.outletName, '1', '1']),
        'refused',
        'unavailable',
      );
      ledger.close();
      const body = { queries: [{ type: 'order', value: 'any' }] };
      for (const { apiPort } of [first.ports.center, first.ports.outlet]) {
        const answer = await restClient(first, apiPort, stranger)('POST', '/v1/lookups', body).catch(() => undefined);
        assert.ok(answer === undefined || answer.status === 403, 'no look-up for a stranger');
      }
    },
  },
  {
    name: "a member of another organisation reads a firm's evidence on the channel, and none of its payloads, keys or index",
    serves: ['S3', 'D14'],
    needs: ['evidence'],
    async run(system) {
      const { first, second } = system;
      const [record] = system.records('not-yours', 1);
      assert.ok(record !== undefined);
      const [receipt] = await system.submit(first, [record]);
      const ledger = await system.ledger(second, 'reader');
      const evidence = await until('the evidence at the other firm', () =>
        ledger.evaluate('evidence', 'get', [receipt?.evidenceId ?? '']).catch(() => undefined),
      );
      assert.ok(Buffer.from(evidence).includes(receipt?.batchHash ?? 'none'));
      const recordOid = receipt?.recordOid ?? '';
      for (const query of [{ eventId: record.eventId }, { recordOid }]) {
        await refused(system.as(second, 'reader').trace(query), 'refused');
        await refused(system.as(second, 'reader').trace(query, { mode: 'fast' }), 'refused');
      }
      const identity = await second.identity('reader');
      const encryptionKey = generateEncryptionKeyPair('P-256').publicKey.jwk;
      for (const { apiPort } of [first.ports.center, first.ports.outlet]) {
        const rest = restClient(first, apiPort, identity);
        const answers: (RestAnswer | undefined)[] = [
          await rest('POST', '/v1/fast-queries', { encryptionKey, query: { recordOid } }).catch(() => undefined),
          await rest('POST', '/v1/lookups', { queries: [{ recordOid }] }).catch(() => undefined),
          await rest('POST', '/v1/keys', {
            encryptionKey,
            consignments: [{ consignmentOid: '0'.repeat(32), epoch: 0 }],
          }).catch(() => undefined),
        ];
        for (const answer of answers) assert.ok(answer === undefined || answer.status === 403);
      }
    },
  },
  {
    name: 'a reader is known as soon as it is registered, and refused everywhere as soon as it is revoked',
    serves: ['S4', 'D2'],
    async run(system) {
      const { first } = system;
      const node = await system.enrol(first, 'short-lived', 'reader');
      await untilStatus(first, node, 'ok');
      await node.revoke();
      await untilStatus(first, node, 'certificate-revoked');
      await untilStatus(first, await first.identity('reader'), 'ok');
    },
  },
  {
    name: "an outlet on the firm's revocation list is refused at once, with the stream that it had open, and only it",
    serves: ['S4'],
    needs: ['service-folders'],
    async run(system) {
      const { first, consortium } = system;
      const [kept, revoked] = [
        await system.enrol(first, 'listed-not', 'outlet'),
        await system.enrol(first, 'listed', 'outlet'),
      ];
      const ca = await loadOrganisationCa(consortium.layout.organisationCa(first.organisation));
      const folder = consortium.layout.node(first.organisation, 'center').dir;
      const writeList = async (certificatePem: string): Promise<void> => {
        ca.revoke(certificatePem);
        await writeFile(join(folder, 'revoked.crl'), (await ca.crlPem()) ?? '');
      };
      await writeList((await issue(consortium, first, 'nobody-any-more')).certificatePem);
      const restore = await system.configure(first, 'center', { msp: { crlFiles: ['revoked.crl'] } });
      const outlets = [kept, revoked].map((node) => handOutlet(system, first, node));
      try {
        const sent: Built[] = [];
        for (const outlet of outlets) {
          await until('the center to know the outlet', () => outlet.position().catch(() => undefined));
          const message = await outlet.next();
          assert.equal(codeOf((await outlet.upload(message.sealed))[0]), 'accepted');
          sent.push(message);
        }
        const { ended } = await openStream(first, revoked, sent[1]?.sealed ?? new Uint8Array());
        await writeList(revoked.certificatePem);
        await refused(ended, 'certificate-revoked');
        await refused(outlets[1]?.position() ?? Promise.resolve(), 'certificate-revoked');
        await refused(
          outlets[1]?.upload(sent[1]?.sealed ?? new Uint8Array()) ?? Promise.resolve(),
          'certificate-revoked',
        );
        assert.equal(await outlets[0]?.codeOf(), 'accepted');
      } finally {
        for (const outlet of outlets) outlet.close();
        await restore();
      }
    },
  },
  {
    name: 'a renewed certificate takes over from the old one, which is refused from then on',
    serves: ['S4', 'V4'],
    async run(system) {
      const { first } = system;
      const node = await system.enrol(first, 'renewed', 'reader');
      await untilStatus(first, node, 'ok');
      const renewed = await issue(system.consortium, first, node.enrolmentId);
      assert.ok((await statusOf(first, renewed)).every((answer) => answer === 'role-not-permitted'));
      await changeRegister(await system.ledger(first, 'admin'), 'renewCertificate', {
        enrolmentId: node.enrolmentId,
        certificate: renewed.digest,
        replaces: node.digest,
      });
      await untilStatus(first, renewed, 'ok');
      await untilStatus(first, node, 'certificate-revoked');
    },
  },
  {
    name: 'encryption keys are announced by their owner one after the other; the register keeps them all and gives the newest',
    serves: ['S3', 'V4'],
    async run(system) {
      const { first } = system;
      const node = await system.enrol(first, 'key-owner', 'reader');
      const identity = signingIdentityFromPem(node);
      const ledger = connectLedger(first, node);
      const pairs = [generateEncryptionKeyPair('P-256'), generateEncryptionKeyPair('X25519')] as const;
      const statement = (pair: (typeof pairs)[number], seq: number, prevKid: string | null): string => {
        const notBeforeMs = Math.floor(Date.now() / dayMs) * dayMs;
        const times = { notBeforeMs, notAfterMs: notBeforeMs + dayMs };
        const signed = signKeyStatement(identity, pair, {
          channel: first.channel,
          seq,
          prevKid,
          ...times,
        });
        return Buffer.from(signed).toString('base64url');
      };
      const publish = async (text: string): Promise<unknown> => {
        const submitted = await ledger.submit('participants', 'publishKey', [text]);
        await submitted.commit();
        return JSON.parse(Buffer.from(submitted.result).toString('utf8'));
      };
      const ask = async (fn: string, ...args: string[]): Promise<Record<string, unknown>> =>
        JSON.parse(Buffer.from(await ledger.evaluate('participants', fn, args)).toString('utf8')) as Record<
          string,
          unknown
        >;
      try {
        await until('every peer to know the reader', () =>
          publish(statement(pairs[0], 1, null)).catch(() => undefined),
        );
        const gap = await ledger
          .evaluate('participants', 'publishKey', [statement(pairs[1], 2, null)])
          .catch(chaincodeText);
        assert.equal(gap, 'WAYMARK_SEQUENCE_GAP: {"reason":"prev","seq":2}');
        const skipped = await ledger
          .evaluate('participants', 'publishKey', [statement(pairs[1], 3, pairs[0].kid)])
          .catch(chaincodeText);
        assert.equal(skipped, 'WAYMARK_SEQUENCE_GAP: {"expected":2,"reason":"missing","seq":3}');
        await publish(statement(pairs[1], 2, pairs[0].kid));
        assert.deepEqual(await publish(statement(pairs[1], 2, pairs[0].kid)), {
          kid: pairs[1].kid,
          repeated: true,
          seq: 2,
          v: 1,
        });
        assert.equal((await ask('getKey', first.mspId, node.enrolmentId))['kid'], pairs[1].kid);
        const { keys } = (await ask('getKeyHistory', first.mspId, node.enrolmentId, '1', '10')) as {
          keys: { kid: string }[];
        };
        assert.deepEqual(
          keys.map(({ kid }) => kid),
          pairs.map(({ kid }) => kid),
        );
        const foreign = await ask('getKey', first.mspId, node.enrolmentId);
        assert.equal(foreign['participant'], node.enrolmentId);
      } finally {
        ledger.close();
      }
    },
  },
  {
    name: 'a transaction whose time is six minutes off is refused, before and after; four minutes are tolerated',
    serves: ['S4', 'S5'],
    async run(system) {
      const { first } = system;
      const stale = 'WAYMARK_MESSAGE_STALE: {"maximumSkewMs":300000,"reason":"transaction-time"}';
      for (const [minutes, expected] of [
        [-6, stale],
        [6, stale],
        [-4, undefined],
        [4, undefined],
      ] as const) {
        const node = await issue(system.consortium, first, `clock-${String(minutes)}-${system.runId}`);
        const argument = JSON.stringify({ enrolmentId: node.enrolmentId, kind: 'reader', certificates: [node.digest] });
        const outcome = await submitAt(
          first,
          await first.admin(),
          'participants:registerNode',
          argument,
          minutes * 60_000,
        ).then(() => undefined, chaincodeText);
        assert.equal(outcome, expected, `${String(minutes)} minutes`);
      }
    },
  },
];

export const limitScenarios: readonly Scenario[] = [
  {
    name: 'a record that is too large, too deep or of the future is refused by name, and the ones beside it are taken',
    serves: ['S5', 'V12'],
    async run(system) {
      const outcomes = await submitRaw(system, [
        { payload: { fits: true } },
        { payload: { text: 'x'.repeat(1_100_000) } },
        { payload: nested(80) },
        { payload: { fits: 'as well' } },
        { payload: { late: true }, collectionTime: new Date(Date.now() + 10 * 60_000).toISOString() },
        { payload: { year: true }, collectionTime: '2026-02-30T12:00:00.000Z' },
        { payload: { id: true }, eventId: 'x'.repeat(1_025) },
        { payload: { ids: true }, businessIds: Array.from({ length: 33 }, () => ({ type: 'order', value: 'o' })) },
      ]);
      assert.deepEqual(outcomes, [
        'anchored',
        'limit-exceeded',
        'input-invalid',
        'anchored',
        'input-invalid',
        'input-invalid',
        'input-invalid',
        'input-invalid',
      ]);
    },
  },
  {
    name: 'of 10,001 records in one request none is taken; a batch that its statement miscounts is input-invalid',
    serves: ['S4'],
    async run(system) {
      const { first } = system;
      const outlet = connectOutlet(first, await first.identity('client'));
      const many = Array.from({ length: 10_001 }, (_, index) => ({
        eventId: `urn:acceptance:many-${String(index)}`,
        consignment: 'many',
        payload: {},
      }));
      try {
        await refused(outlet.submit(many), 'limit-exceeded');
      } finally {
        outlet.close();
      }
      const hand = await enrolledOutlet(system, first, 'hand-depot');
      assert.equal(await hand.codeOf({ statement: { count: 2 } }), 'input-invalid');
    },
  },
];

/** A stream of an outlet to the firm's center: one message goes through, then it says nothing more. */
async function openStream(
  firm: Firm,
  { certificatePem, privateKeyPem }: Identity,
  sealed: Uint8Array,
): Promise<{ ended: Promise<void> }> {
  const tls = clientCredentials([firm.tlsRootPem], { certificateChainPem: certificatePem, privateKeyPem });
  const client = new CenterClient(`127.0.0.1:${String(firm.ports.center.grpcPort)}`, tls, clientOptions());
  const stream = openBidi(client.upload());
  const opened = Promise.withResolvers<undefined>();
  const listen = async (): Promise<void> => {
    try {
      for await (const { ref } of stream.responses) {
        assert.equal(ref, 1);
        opened.resolve(undefined);
      }
    } finally {
      client.close();
    }
  };
  const ended = listen();
  ended.catch(opened.reject);
  await stream.write({ ref: 1, sealed: Buffer.from(sealed) });
  await opened.promise;
  return { ended };
}

function nested(levels: number): unknown {
  return levels === 0 ? 'deep' : [nested(levels - 1)];
}

/** Submits to the outlet what the SDK would not send; "anchored" or the code of the refusal for each. */
async function submitRaw(
  { first, runId }: System,
  changes: readonly {
    payload: unknown;
    eventId?: string;
    collectionTime?: string;
    businessIds?: { type: string; value: string }[];
  }[],
): Promise<string[]> {
  const outlet = connectOutlet(first, await first.identity('client'));
  try {
    const outcomes = await outlet.submit(
      changes.map((change, index) => ({
        eventId: `urn:acceptance:limit-${runId}-${String(index)}`,
        consignment: 'limits',
        ...change,
      })),
    );
    return outcomes.map(({ anchored, failure }) => anchored?.state ?? failure?.code ?? 'none');
  } finally {
    outlet.close();
  }
}

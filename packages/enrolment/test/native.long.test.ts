import { createPrivateKey } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, credentials } from '@grpc/grpc-js';
import { connect, hash, signers } from '@hyperledger/fabric-gateway';
import { type FabricNetwork, findFabricPrograms, startFabricNetwork } from '@waymark/fabric-nodes';
import { type FabricCaPeer, findFabricCa, startFabricCa } from '@waymark/testing/fabric-ca-peer';
import { freePorts } from '@waymark/testing/kubo-peer';
import { certificateAuthority, type CertificateAuthority, type EnrolledIdentity } from '../src/index.ts';

const programs = await findFabricPrograms().catch(() => undefined);
const program = findFabricCa();
const missing = [
  ...(programs === undefined ? ['peer and orderer'] : []),
  ...(program === undefined ? ['fabric-ca-server'] : []),
];

(missing.length === 0 ? describe : describe.skip)(
  missing.length === 0
    ? `real Fabric ${programs?.version ?? ''} whose organisation has a fabric-ca-server`
    : `real Fabric whose organisation has a fabric-ca-server (not on PATH: ${missing.join(', ')})`,
  () => {
    let folder: string;
    let network: FabricNetwork;
    let server: FabricCaPeer;
    let authority: CertificateAuthority;
    let admin: EnrolledIdentity;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'waymark-native-ca-'));
      const [port = 0, chaincodePort = 0, operationsPort = 0, ...ports] = await freePorts(6);
      const [ordererPort = 0, adminPort = 0, ordererOperationsPort = 0] = ports;
      network = await startFabricNetwork({
        dataDir: join(folder, 'fabric'),
        channel: 'waymark',
        organisations: [
          {
            mspId: 'NorthMSP',
            domain: 'north.example',
            peers: [{ name: 'peer0', port, chaincodePort, operationsPort }],
          },
        ],
        ordering: {
          type: 'raft',
          organisations: [
            {
              mspId: 'OrdererMSP',
              domain: 'orderer.example',
              orderers: [{ name: 'orderer0', port: ordererPort, adminPort, operationsPort: ordererOperationsPort }],
            },
          ],
        },
        batch: { timeoutMs: 100, maxMessageCount: 10, preferredMaxBytes: 2 ** 20, absoluteMaxBytes: 2 ** 21 },
      });
      const { dir, domain } = network.organisations[0]?.membership ?? { dir: '', domain: '' };
      server = await startFabricCa(program ?? '', { folder: join(folder, 'ca'), ca: { folder: dir, domain } });
      authority = certificateAuthority({ url: server.url, tlsRootPem: server.tlsRootPem });
      admin = await authority.enrol(server.admin);
    }, 120_000);

    afterAll(async () => {
      await server.stop();
      await network.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    async function enrolled(enrolmentId: string): Promise<EnrolledIdentity> {
      const secret = await authority.register(admin, { enrolmentId, role: 'client' });
      return authority.enrol({ enrolmentId, secret });
    }

    /** What every reader of the channel may ask a peer. */
    async function readsChannel({ certificatePem, privateKeyPem }: EnrolledIdentity): Promise<boolean> {
      const gateway = network.organisations[0]?.gateway;
      if (gateway === undefined) throw new Error('one organisation expected');
      const client = new Client(gateway.address, credentials.createSsl(Buffer.from(gateway.tlsRootCertPem)));
      const connection = connect({
        client,
        identity: { mspId: 'NorthMSP', credentials: Buffer.from(certificatePem) },
        signer: signers.newPrivateKeySigner(createPrivateKey(privateKeyPem)),
        hash: hash.sha256,
        evaluateOptions: () => ({ deadline: Date.now() + 10_000 }),
      });
      try {
        const contract = connection.getNetwork('waymark').getContract('qscc');
        return (await contract.evaluateTransaction('GetChainInfo', 'waymark')).length > 0;
      } catch (error) {
        if (JSON.stringify(error).includes('access denied: channel [waymark] creator org [NorthMSP]')) return false;
        throw error;
      } finally {
        connection.close();
        client.close();
      }
    }

    test('an outlet that the server issued reads the channel; revoked, it is refused from the configuration update on', async () => {
      const depot = await enrolled('depot');
      const yard = await enrolled('yard');
      expect(await readsChannel(depot)).toBe(true);
      await authority.revoke(admin, { enrolmentId: 'depot', reason: 'keycompromise' });
      const { pem } = await authority.revocationList(admin);
      expect(await readsChannel(depot)).toBe(true);
      await network.publishCrl('NorthMSP', pem);
      expect(await readsChannel(depot)).toBe(false);
      expect(await readsChannel(yard)).toBe(true);
    }, 60_000);
  },
);

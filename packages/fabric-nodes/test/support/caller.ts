import { createPrivateKey } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, credentials } from '@grpc/grpc-js';
import { connect, hash, signers } from '@hyperledger/fabric-gateway';
import type { FabricOrganisation, Member } from '../../src/index.ts';

const RETRY_MS = 200;

/** A client of one organisation's gateway. */
export interface Caller {
  put(key: string, value: string): Promise<void>;
  /** Again and again until it is committed, as a client does that must not lose anything. */
  putUntilCommitted(key: string, value: string, timeoutMs: number): Promise<void>;
  get(key: string): Promise<string>;
  version(): Promise<string>;
  close(): void;
}

export function callerOf({ gateway, user }: FabricOrganisation, chaincode: string, as: Member = user): Caller {
  const client = new Client(gateway.address, credentials.createSsl(Buffer.from(gateway.tlsRootCertPem)));
  const connection = connect({
    client,
    identity: { mspId: as.mspId, credentials: Buffer.from(as.certificatePem) },
    signer: signers.newPrivateKeySigner(createPrivateKey(as.privateKeyPem)),
    hash: hash.sha256,
    endorseOptions: () => ({ deadline: Date.now() + 30_000 }),
    submitOptions: () => ({ deadline: Date.now() + 10_000 }),
    commitStatusOptions: () => ({ deadline: Date.now() + 10_000 }),
  });
  const contract = connection.getNetwork('mychannel').getContract(chaincode);
  const put = async (key: string, value: string): Promise<void> => {
    await contract.submitTransaction('put', key, value);
  };
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
  return {
    put,
    putUntilCommitted: async (key, value, timeoutMs) => {
      const deadline = Date.now() + timeoutMs;
      for (;;) {
        try {
          await put(key, value);
          return;
        } catch (error) {
          if (Date.now() > deadline) throw error;
          await delay(RETRY_MS);
        }
      }
    },
    get: async (key) => text(await contract.evaluateTransaction('get', key)),
    version: async () => text(await contract.evaluateTransaction('version')),
    close: () => {
      connection.close();
      client.close();
    },
  };
}

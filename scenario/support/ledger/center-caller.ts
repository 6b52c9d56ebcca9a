import { isWaymarkError } from '@waymark/protocol';
import { callUnary, CenterClient, clientCredentials, clientOptions, openBidi } from '@waymark/transport';
import type { LedgerConsortium } from './ledger-firm.ts';

/** Calls one center as the firm's outlet does. */
export interface CenterCaller {
  /** Resolves when a connection stands. */
  ready(): Promise<void>;
  /** What each call that only a center in office answers came to: `answered`, or the code of the refusal. */
  ask(): Promise<{ readonly key: string; readonly position: string; readonly upload: string }>;
  close(): void;
}

const deadlineMs = 30_000;

/** Connects to a member's gRPC service with the outlet's certificate. */
export async function callCenter({ firm, running }: LedgerConsortium, member: string): Promise<CenterCaller> {
  const ports = running.consortium.ports.services[`${firm.organisation.domain}-${member}`];
  const { certificatePem, privateKeyPem } = await firm.identity(firm.outletName);
  const client = new CenterClient(
    `127.0.0.1:${String(ports?.grpcPort ?? 0)}`,
    clientCredentials([firm.tlsRootPem], { certificateChainPem: certificatePem, privateKeyPem }),
    // A process that stands still answers no question whether it is there.
    { ...clientOptions(), 'grpc.keepalive_time_ms': 600_000 },
  );
  const outcome = async (work: Promise<unknown>): Promise<string> => {
    try {
      await work;
      return 'answered';
    } catch (error) {
      return isWaymarkError(error) ? error.code : 'internal';
    }
  };
  return {
    ready: () =>
      new Promise((resolve, reject) =>
        client.waitForReady(Date.now() + deadlineMs, (error) => (error === undefined ? resolve() : reject(error))),
      ),
    async ask() {
      const upload = openBidi(client.upload());
      const [key, position, stream] = await Promise.all([
        outcome(callUnary(client.getTransportKey.bind(client), {}, { deadlineMs })),
        outcome(callUnary(client.getPosition.bind(client), {}, { deadlineMs })),
        outcome(upload.responses[Symbol.asyncIterator]().next()),
      ]);
      upload.cancel();
      return { key, position, upload: stream };
    },
    close: () => client.close(),
  };
}

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { X509Certificate } from 'node:crypto';
import { createOrganisationCa, type OrganisationCa } from '@waymark/devnet/ca';
import { WaymarkError } from '@waymark/protocol';
import type { MemberId, Message } from '@waymark/rsl';
import { type GrpcServer, serverCredentials, startGrpcServer, type TlsIdentity } from '@waymark/transport';
import {
  createPeers,
  type DropReason,
  type MemberGreeting,
  type PeerAddress,
  type Peers,
  type PeersOptions,
} from '../../src/index.ts';

export const ledger = 'FirmMSP/trade';

/** Something that a member's streams told their owner. */
export type Heard =
  | { readonly type: 'message'; readonly message: Message }
  | { readonly type: 'hello'; readonly peer: MemberId; readonly greeting: MemberGreeting }
  | { readonly type: 'connected' | 'disconnected' | 'unreachable'; readonly peer: MemberId; readonly error?: unknown }
  | { readonly type: 'refused'; readonly peer: MemberId | null; readonly error: unknown }
  | { readonly type: 'dropped'; readonly peer: MemberId; readonly reason: DropReason; readonly messages: number };

/** A member on a free port, without a core. */
export interface TestMember {
  readonly id: MemberId;
  readonly peers: Peers;
  readonly heard: readonly Heard[];
  /** Resolves with the first thing heard, ever, that this answers something for. */
  until<T>(look: (heard: Heard) => T | undefined): Promise<T>;
  /** Resolves once so many were heard for which this is true. */
  untilCount(count: number, look: (heard: Heard) => boolean): Promise<void>;
  /** Streams and server. */
  stop(): Promise<void>;
}

export interface TestFirm {
  readonly ca: OrganisationCa;
  readonly addresses: Map<MemberId, PeerAddress>;
  /** Opens a member on its port of before, if it had one. */
  open(id: MemberId, options?: Partial<PeersOptions>): Promise<TestMember>;
  identityOf(id: MemberId, ca?: OrganisationCa): Promise<TlsIdentity>;
  close(): Promise<void>;
}

/** Members of one firm, each with an identity certificate of the firm's CA and a TLS certificate for its server. */
export async function createTestFirm(): Promise<TestFirm> {
  const ca = await createOrganisationCa({ mspId: 'FirmMSP', domain: 'firm.example.com' });
  const addresses = new Map<MemberId, PeerAddress>();
  const identities = new Map<MemberId, TlsIdentity>();
  const open = new Set<TestMember>();
  const certificateNames = (der: Uint8Array): MemberId => {
    const certificate = new X509Certificate(der);
    if (!certificate.verify(new X509Certificate(ca.rootCertPem).publicKey))
      throw new WaymarkError('certificate-untrusted', 'a stranger');
    return /CN=([^\n]+)/.exec(certificate.subject)?.[1] ?? '';
  };

  const identityOf = async (id: MemberId, issuer = ca): Promise<TlsIdentity> => {
    const issued = await issuer.issue({ enrolmentId: id, role: 'client' });
    return { certificateChainPem: issued.certificatePem, privateKeyPem: issued.privateKeyPem };
  };
  return {
    ca,
    addresses,
    identityOf,
    async open(id, options = {}) {
      const identity = identities.get(id) ?? (await identityOf(id));
      identities.set(id, identity);
      const heard: Heard[] = [];
      let changed = Promise.withResolvers<unknown>();
      const hear = (what: Heard): void => {
        heard.push(what);
        changed.resolve(undefined);
        changed = Promise.withResolvers();
      };
      const peers = createPeers({
        ledger,
        member: id,
        peers: () => addresses,
        identity,
        greeting: (peer) => greeting(`${id} to ${peer}`),
        onGreeting: (peer, said) => hear({ type: 'hello', peer, greeting: said }),
        identify: certificateNames,
        onConnected: (peer) => hear({ type: 'connected', peer }),
        onDisconnected: (peer, error) => hear({ type: 'disconnected', peer, error }),
        onUnreachable: (peer, error) => hear({ type: 'unreachable', peer, error }),
        onRefused: (peer, error) => hear({ type: 'refused', peer, error }),
        onDropped: (peer, reason, messages) => hear({ type: 'dropped', peer, reason, messages }),
        ...options,
        onMessage: async (message) => {
          hear({ type: 'message', message });
          await options.onMessage?.(message);
        },
        limits: { minBackoffMs: 5, maxBackoffMs: 50, ...options.limits },
      });
      const server = await serve(ca, peers, Number(addresses.get(id)?.endpoint.split(':')[1] ?? 0));
      addresses.set(id, { endpoint: `localhost:${server.port}`, tlsRootPem: ca.tlsRootCertPem });
      peers.start();
      for (const member of open) member.peers.reload();
      const until = async <T>(look: (all: Heard) => T | undefined): Promise<T> => {
        for (;;) {
          const next = changed.promise;
          for (const each of heard) {
            const found = look(each);
            if (found !== undefined) return found;
          }
          await next;
        }
      };
      const member: TestMember = {
        id,
        peers,
        heard,
        until,
        async untilCount(count, look) {
          while (heard.filter(look).length < count) await changed.promise;
        },
        async stop() {
          open.delete(member);
          await peers.stop();
          await server.stop(1_000);
        },
      };
      open.add(member);
      return member;
    },
    async close() {
      await Promise.all([...open].map((member) => member.stop()));
    },
  };
}

async function serve(ca: OrganisationCa, peers: Peers, port: number): Promise<GrpcServer> {
  const tls = await ca.issueTls({ commonName: 'member.firm.example.com' });
  return startGrpcServer({
    host: '127.0.0.1',
    port,
    credentials: serverCredentials({ certificateChainPem: tls.certificatePem, privateKeyPem: tls.privateKeyPem }, [
      ca.rootCertPem,
    ]),
    addServices: (server) => peers.addTo(server),
  });
}

/** A greeting that can be told from others. */
export function greeting(session: string): MemberGreeting {
  return { position: { log: 'aa', opens: 1, session, seq: 7 }, remembered: null };
}

/** A wire between a member and a port that can go dead, without being closed. */
export interface Cable {
  readonly port: number;
  /** From now on nothing goes through, either way. */
  cut(): void;
  close(): Promise<void>;
}

export async function layCable(targetPort: number): Promise<Cable> {
  const sockets = new Set<Socket>();
  let isCut = false;
  const server: Server = createServer((near) => {
    const far = connect(targetPort, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('error', () => undefined);
      from.on('close', () => to.destroy());
      from.on('data', (bytes) => {
        if (!isCut) to.write(bytes);
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      isCut = true;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

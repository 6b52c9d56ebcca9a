import type { KeyObject } from 'node:crypto';
import { toHex } from '@waymark/protocol';
import type { MemberId } from '@waymark/rsl';
import {
  type Component,
  type ConfigurationTypes,
  loadConfiguration,
  type Logger,
  readTextFile,
  watchFiles,
} from '@waymark/service-kit';
import { parseCertificatesPem } from '@waymark/vault';
import { z } from 'zod';

/** A member of the ledger: where its gRPC service is, and with which keys it has ever signed. */
export interface LedgerPeer {
  readonly endpoint: string;
  readonly tlsRootPem: string;
  /** REST address of a center, where others that stand by find the envelopes that it took in. */
  readonly apiUrl?: string;
  /** By the SHA-256 of the certificate's DER, hex. */
  readonly publicKeys: ReadonlyMap<string, KeyObject>;
}

/** The members, as their file says now. */
export interface LedgerMembers extends Component {
  current(): ReadonlyMap<MemberId, LedgerPeer>;
  /** The public key of this certificate if it is one of this member's. */
  publicKeyOf(member: MemberId, certificateDigest: Uint8Array): KeyObject | null;
  onChange(listener: () => void): void;
}

const define = (types: ConfigurationTypes) =>
  types.section({
    members: z
      .array(
        types.section({
          id: types.name(),
          endpoint: types.endpoint(),
          tlsRootFile: types.path(),
          apiUrl: z.url({ protocol: /^https$/ }).optional(),
          /** Identity certificates, also those that were renewed since: what they signed is still to be checked. */
          certificateFiles: z.array(types.path()).min(1).max(64),
        }),
      )
      .min(1)
      .max(64)
      .refine((members) => new Set(members.map(({ id }) => id)).size === members.length, 'expected each member once'),
  });

/**
 * Follows the file with the members of a private ledger: YAML `{members: [{id, endpoint, tlsRootFile, apiUrl?, certificateFiles}]}`. A version that cannot be read is
 * logged, and the one before it stays. It says how members are reached and known, not who is one: that the ledger does.
 * @throws WaymarkError configuration-invalid when the first version cannot be read
 */
export function openLedgerMembers(file: string, logger: Logger): LedgerMembers {
  const listeners = new Set<() => void>();
  let read = load(file);
  const watch = watchFiles({
    name: 'ledger-members',
    files: () => [file, ...read.files],
    onChange: () => {
      read = load(file);
      logger.info('the file of the ledger members was read', { count: read.peers.size });
      for (const listener of listeners) listener();
    },
    onError: (error) =>
      logger.error('the file of the ledger members cannot be read; the last version stays in force', { error }),
  });
  return {
    name: 'ledger-members',
    start: () => watch.start(),
    stop: () => watch.stop(),
    current: () => read.peers,
    publicKeyOf: (member, digest) => read.peers.get(member)?.publicKeys.get(toHex(digest)) ?? null,
    onChange: (listener) => void listeners.add(listener),
  };
}

function load(file: string): { peers: ReadonlyMap<MemberId, LedgerPeer>; files: readonly string[] } {
  const { members } = loadConfiguration<z.infer<ReturnType<typeof define>>>(file, define);
  return {
    peers: new Map(
      members.map(({ id, endpoint, tlsRootFile, apiUrl, certificateFiles }) => [
        id,
        {
          endpoint,
          tlsRootPem: readTextFile(tlsRootFile),
          ...(apiUrl === undefined ? {} : { apiUrl }),
          publicKeys: new Map(
            certificateFiles
              .flatMap((path) => parseCertificatesPem(readTextFile(path)))
              .map(({ digest, publicKey }) => [toHex(digest), publicKey]),
          ),
        },
      ]),
    ),
    files: members.flatMap(({ tlsRootFile, certificateFiles }) => [tlsRootFile, ...certificateFiles]),
  };
}

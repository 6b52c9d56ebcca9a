import { createHash } from 'node:crypto';
import { gzipStored, tar } from './archive.ts';

/** How a peer reaches chaincode that runs as a service (Fabric's `connection.json`). */
export interface ServiceConnection {
  /** `host:port` of the chaincode process. */
  readonly address: string;
  /** A duration as Go writes it; default `10s`. */
  readonly dialTimeout?: string;
  /** Set when the process has a TLS certificate; PEM. */
  readonly tls?: {
    readonly rootCertificate: string;
    /** Set when the process asks for a client certificate. */
    readonly client?: { readonly certificate: string; readonly key: string };
  };
}

/** A package as `peer lifecycle chaincode install` takes it. */
export interface ServicePackage {
  readonly label: string;
  /** `<label>:<SHA-256 of the package>`: the chaincode registers under it. */
  readonly packageId: string;
  readonly bytes: Uint8Array;
}

/**
 * Packs a chaincode-as-a-service package: `metadata.json` and `code.tar.gz`, which holds `connection.json`. The same label and
 * connection always give the same bytes, so every organisation can compute the package id beforehand.
 *
 * @throws RangeError when the label is not one Fabric takes
 */
export function packService(label: string, connection: ServiceConnection): ServicePackage {
  // core/chaincode/persistence/chaincode_package.go
  if (!/^[A-Za-z0-9][A-Za-z0-9_.+-]*$/.test(label)) throw new RangeError(`${label} is not a chaincode label`);
  const { tls } = connection;
  const connectionJson = {
    address: connection.address,
    dial_timeout: connection.dialTimeout ?? '10s',
    tls_required: tls !== undefined,
    ...(tls && { root_cert: tls.rootCertificate, client_auth_required: tls.client !== undefined }),
    ...(tls?.client && { client_cert: tls.client.certificate, client_key: tls.client.key }),
  };
  const code = gzipStored(tar([{ name: 'connection.json', contents: json(connectionJson) }]));
  const bytes = gzipStored(
    tar([
      { name: 'metadata.json', contents: json({ type: 'ccaas', label }) },
      { name: 'code.tar.gz', contents: code },
    ]),
  );
  return { label, packageId: computePackageId(label, bytes), bytes };
}

/** The id a peer gives a package when it is installed. */
export function computePackageId(label: string, packageBytes: Uint8Array): string {
  return `${label}:${createHash('sha256').update(packageBytes).digest('hex')}`;
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value), 'utf8');
}

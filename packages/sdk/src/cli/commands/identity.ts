import {
  type CertificateAuthority,
  certificateAuthority,
  certificateFacts,
  type CertificateFacts,
  type CertificateWish,
  modes,
  type MspWish,
  readCertificate,
  readIdentityFolder,
  readPublic,
  readSecret,
  type Registration,
  replaceFile,
  type Revocation,
  type RevocationReason,
  writeIdentityFolder,
} from '@waymark/enrolment';
import { type Command, type CommandContext, usageError } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { printable } from '../output.ts';

/** Where the certificate authority is. */
export interface AuthorityOptions {
  readonly ca: string;
  readonly caRoot?: string;
  readonly caName?: string;
  readonly plainHttp?: boolean;
}

/** Who asks the certificate authority for something that concerns others. */
interface RegistrarOptions extends AuthorityOptions {
  /** Folder of the registrar's identity. */
  readonly as: string;
}

/** An MSP folder beside the certificate, for Fabric's own programs. */
interface MspOptions {
  readonly mspId?: string;
  readonly domain?: string;
  readonly tlsRoot?: string;
}

/** `waymark identity register`: lets somebody enrol; the one-time secret goes into a file. */
export const register: Command<
  RegistrarOptions & {
    readonly id: string;
    readonly role: Registration['role'];
    readonly affiliation?: string;
    readonly attribute: readonly string[];
    readonly maxEnrolments?: string;
    readonly secretOut: string;
  }
> = async ({ output }, options) => {
  const { id, role, affiliation, secretOut } = options;
  const maxEnrolments = Number(options.maxEnrolments ?? 1);
  if (!Number.isInteger(maxEnrolments) || maxEnrolments < -1) throw usageError('--max-enrolments takes a number.');
  const secret = await (
    await authorityOf(options)
  ).register(await readIdentityFolder(options.as), {
    enrolmentId: id,
    role,
    attributes: Object.fromEntries(options.attribute.map(attributeOf)),
    maxEnrolments,
    ...(affiliation === undefined ? {} : { affiliation }),
  });
  await replaceFile(secretOut, `${secret}\n`, modes.secret);
  output.result({ enrolmentId: id, role, secretFile: secretOut }, [
    `${printable(id)} is registered as ${role}; its one-time secret is in ${secretOut} (keep it secret)`,
  ]);
  return exitCodes.done;
};

/** `waymark identity enrol`: the first certificate, with a key that is made here. */
export const enrol: Command<
  AuthorityOptions &
    MspOptions & {
      readonly id: string;
      readonly secretFile: string;
      readonly tls?: boolean;
      readonly host: readonly string[];
      readonly out: string;
    }
> = async (context, options) => {
  const { id, secretFile, tls, host, out } = options;
  const secret = await readSecret(secretFile === '-' ? { stream: stdinOf(context) } : { file: secretFile });
  const wish = tls === true ? { profile: 'tls' as const, hosts: host } : { hosts: host };
  const enrolment = await (await authorityOf(options)).enrol({ enrolmentId: id, secret }, wish);
  await writeIdentityFolder(out, enrolment, await mspOf(options));
  return shown(context, enrolment.certificatePem, out);
};

/** `waymark identity renew`: another certificate for the same enrolment id, in a folder of its own. */
export const renew: Command<
  AuthorityOptions &
    MspOptions & {
      readonly identity: string;
      readonly tls?: string;
      readonly sameKey?: boolean;
      readonly out: string;
    }
> = async (context, options) => {
  const { identity, tls, sameKey, out } = options;
  const current = await readIdentityFolder(identity);
  const replaced = tls === undefined ? current : await readIdentityFolder(tls);
  const wish: CertificateWish = {
    ...(tls === undefined
      ? {}
      : { profile: 'tls', hosts: certificateFacts(replaced.certificatePem, Date.now()).hosts }),
    ...(sameKey === true ? { privateKeyPem: replaced.privateKeyPem } : {}),
  };
  const enrolment = await (await authorityOf(options)).renew(current, wish);
  await writeIdentityFolder(out, enrolment, await mspOf(options));
  return shown(context, enrolment.certificatePem, out);
};

/** `waymark identity revoke`: one certificate, or everything of an enrolment id. */
export const revoke: Command<
  RegistrarOptions & {
    readonly id?: string;
    readonly certificate?: string;
    readonly serial?: string;
    readonly aki?: string;
    readonly reason?: RevocationReason;
    readonly crlOut?: string;
  }
> = async ({ output }, options) => {
  const { reason, crlOut } = options;
  const authority = await authorityOf(options);
  const registrar = await readIdentityFolder(options.as);
  const revocation = { ...(await revokedIn(options)), ...(reason === undefined ? {} : { reason }) };
  const revoked = await authority.revoke(registrar, revocation);
  if (crlOut !== undefined) await writeList(authority, registrar, crlOut);
  output.result({ revoked, ...(crlOut === undefined ? {} : { file: crlOut }) }, [
    ...revoked.map(({ serialNumber }) => `revoked: ${serialNumber}`),
    ...(revoked.length === 0 ? ['nothing to revoke: it was revoked before, or has no certificate'] : []),
    crlOut === undefined ? 'nobody hears of it before the list goes out: waymark identity crl' : `list: ${crlOut}`,
  ]);
  return exitCodes.done;
};

/** `waymark identity crl`: the revocation list of now, where services look for it. */
export const crl: Command<RegistrarOptions & { readonly out: string }> = async ({ output }, options) => {
  const list = await writeList(await authorityOf(options), await readIdentityFolder(options.as), options.out);
  const { issuer, count } = list;
  const due = list.nextUpdateMs === null ? null : new Date(list.nextUpdateMs).toISOString();
  const made = new Date(list.thisUpdateMs).toISOString();
  output.result(
    { file: options.out, issuer: issuer.split('\n').join(', '), count, thisUpdate: made, nextUpdate: due },
    [
      `${String(count)} certificates on the list of ${made}, written to ${options.out}; the next is due ${due ?? 'at no time'}`,
    ],
  );
  return exitCodes.done;
};

/** `waymark identity show`: what a certificate says; needs no network. */
export const show: Command<{ readonly place: string }> = async (context, { place }) =>
  shown(context, await readCertificate(place));

async function authorityOf({ ca, caRoot, caName, plainHttp }: AuthorityOptions): Promise<CertificateAuthority> {
  return certificateAuthority({
    url: ca,
    ...(caRoot === undefined ? {} : { tlsRootPem: await readPublic(caRoot) }),
    ...(caName === undefined ? {} : { name: caName }),
    ...(plainHttp === true ? { plainHttp: true } : {}),
  });
}

async function mspOf({ mspId, domain, tlsRoot }: MspOptions): Promise<MspWish | undefined> {
  if (mspId === undefined) return undefined;
  return {
    mspId,
    domain: domain ?? mspId.toLowerCase(),
    ...(tlsRoot === undefined ? {} : { tlsRootPem: await readPublic(tlsRoot) }),
  };
}

async function revokedIn(options: {
  readonly id?: string;
  readonly certificate?: string;
  readonly serial?: string;
  readonly aki?: string;
}): Promise<Revocation> {
  const { id, certificate, serial, aki } = options;
  if (id !== undefined && certificate === undefined && serial === undefined) return { enrolmentId: id };
  if (certificate !== undefined && id === undefined && serial === undefined) {
    return { certificatePem: await readCertificate(certificate) };
  }
  if (serial !== undefined && aki !== undefined && id === undefined && certificate === undefined) {
    return { serialNumber: serial, authorityKeyId: aki };
  }
  throw usageError('Say what is revoked: --id, --certificate, or --serial with --aki.');
}

async function writeList(
  authority: CertificateAuthority,
  registrar: Parameters<CertificateAuthority['revocationList']>[0],
  file: string,
) {
  const list = await authority.revocationList(registrar);
  await replaceFile(file, list.pem, modes.public);
  return list;
}

function attributeOf(text: string): [string, string] {
  const split = text.indexOf('=');
  if (split < 1) throw usageError('--attribute takes NAME=VALUE.');
  return [text.slice(0, split), text.slice(split + 1)];
}

function stdinOf({ io }: CommandContext): AsyncIterable<Uint8Array | string> {
  if (io.stdin === undefined) throw usageError('There is no input to read the secret from.');
  return io.stdin;
}

function shown({ output }: CommandContext, certificatePem: string, folder?: string) {
  const facts = certificateFacts(certificatePem, Date.now());
  output.result({ ...(folder === undefined ? {} : { folder }), ...facts }, textOf(facts, folder));
  return exitCodes.done;
}

function textOf(facts: CertificateFacts, folder: string | undefined): string[] {
  const { subject, issuer, role, attributes, hosts, notBefore, notAfter, expired, serialNumber, digest } = facts;
  return [
    ...(folder === undefined ? [] : [`written to ${folder} (its private key stays there)`]),
    `subject     ${subject}`,
    `issuer      ${issuer}`,
    `role        ${role ?? 'none'}`,
    ...Object.entries(attributes).map(([name, value]) => `attribute   ${name} = ${value}`),
    ...hosts.map((host) => `host        ${host}`),
    `valid       ${notBefore} to ${notAfter}${expired ? ' (expired)' : ''}`,
    `serial      ${serialNumber}`,
    `digest      ${digest}`,
  ].map(printable);
}

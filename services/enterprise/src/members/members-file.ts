import { type ConfigurationTypes, loadConfiguration, readTextFile } from '@waymark/service-kit';
import { type CertificateVerifier, certificateVerifier } from '@waymark/vault';
import { z } from 'zod';

/** Where an organisation's center is reached. */
export interface MemberCenter {
  readonly apiUrl: string;
  readonly tlsRootPem: string;
  /** Centers of the same organisation that answer when this one does not. */
  readonly standbys: readonly Omit<MemberCenter, 'standbys'>[];
}

/** An organisation of the consortium, as the members file has it. */
export interface Member {
  readonly mspId: string;
  /** Files with the CAs of its members' certificates. */
  readonly caFiles: readonly string[];
  readonly verifier: CertificateVerifier;
  readonly center?: MemberCenter | undefined;
}

/** What a members file says. */
export interface MembersFile {
  readonly members: readonly Member[];
  /** Every file it names: a change of one of them is a change of the members. */
  readonly files: readonly string[];
}

const define = (types: ConfigurationTypes) => {
  const place = { apiUrl: z.url({ protocol: /^https$/ }), tlsRootFile: types.path() };
  const files = (min: number) => z.array(types.path()).min(min).max(16);
  return types.section({
    members: z
      .array(
        types.section({
          mspId: types.name(),
          rootFiles: files(1),
          intermediateFiles: files(0).default([]),
          crlFiles: files(0).default([]),
          center: types.section({ ...place, standbys: z.array(types.section(place)).max(8).default([]) }).optional(),
        }),
      )
      .max(64)
      .refine((members) => new Set(members.map(({ mspId }) => mspId)).size === members.length, 'expected each organisation once'), // prettier-ignore
  });
};

/**
 * Reads the members file: YAML `{members: [{mspId, rootFiles, intermediateFiles?, crlFiles?, center?: {apiUrl, tlsRootFile, standbys?: [{apiUrl, tlsRootFile}]}}]}`, paths
 * relative to its folder. The organisation it is read for may stand in it as well, so that all can have the same file.
 * @throws WaymarkError configuration-invalid
 */
export function loadMembersFile(file: string): MembersFile {
  const { members } = loadConfiguration<z.infer<ReturnType<typeof define>>>(file, define);
  return {
    members: members.map(({ mspId, rootFiles, intermediateFiles, crlFiles, center }) => ({
      mspId,
      caFiles: [...rootFiles, ...intermediateFiles],
      verifier: certificateVerifier({
        rootsPem: rootFiles.map(readTextFile),
        intermediatesPem: intermediateFiles.map(readTextFile),
        crlsPem: crlFiles.map(readTextFile),
      }),
      ...(center === undefined ? {} : { center: { ...placeOf(center), standbys: center.standbys.map(placeOf) } }),
    })),
    files: members.flatMap(({ rootFiles, intermediateFiles, crlFiles, center }) => [
      ...rootFiles,
      ...intermediateFiles,
      ...crlFiles,
      ...(center === undefined ? [] : [center, ...center.standbys].map(({ tlsRootFile }) => tlsRootFile)),
    ]),
  };
}

function placeOf({ apiUrl, tlsRootFile }: { readonly apiUrl: string; readonly tlsRootFile: string }) {
  return { apiUrl, tlsRootPem: readTextFile(tlsRootFile) };
}

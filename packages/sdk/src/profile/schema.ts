import { dirname, resolve } from 'node:path';
import { z } from 'zod';

const name = z
  .string('expected text')
  .min(1, 'expected text, got none')
  .max(256, 'expected at most 256 characters')
  .regex(/^[^\u0000-\u001f\u007f]*$/, 'expected text without control characters');

const endpoint = z
  .string('expected host:port')
  .regex(/^(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):[0-9]{1,5}$/, 'expected host:port');

const httpUrl = z.url({ protocol: /^https?$/, error: 'expected an http or https URL' });

/** A profile's schema; relative paths are taken from `folder`. */
const profileIn = (folder: string) => {
  const path = z
    .string('expected the path of a file')
    .min(1, 'expected the path of a file')
    .max(4_096, 'expected the path of a file')
    .refine((text) => !/[\0\r\n]|-----BEGIN/.test(text), 'expected the path of a file, not its content')
    .transform((text) => resolve(folder, text));
  return z.strictObject({
    mspId: name,
    channel: name,
    chaincode: name.default('waymark'),
    /** The X.509 identity that is shown to gateway, outlet and API; the register says what it may do. */
    identity: z.strictObject({ certificateFile: path, privateKeyFile: path }),
    /** Whom this reader trusts to issue each organisation's certificates, by MSP id: pinned here, never taken from data. */
    organisations: z.record(
      name,
      z.strictObject({ rootFiles: z.array(path).min(1).max(16), intermediateFiles: z.array(path).max(16).default([]) }),
    ),
    /** The peer whose gateway answers trusted queries. */
    gateway: z.strictObject({ endpoint, tlsRootFile: path, tlsServerName: name.optional() }).optional(),
    /** The gRPC endpoint of the outlet that takes records. */
    outlet: z.strictObject({ endpoint, tlsRootFile: path }).optional(),
    /** REST of an outlet or a center: look-ups, keys, fast and external queries, allow-lists. */
    api: z
      .strictObject({
        url: httpUrl,
        tlsRootFile: path,
        /** Others that answer the same, asked when this one does not: the standbys of a center. */
        standbys: z
          .array(z.strictObject({ url: httpUrl, tlsRootFile: path }))
          .max(8)
          .optional(),
      })
      .optional(),
    /** Where batch blocks and envelopes are fetched: the API's trustless gateway, or a kubo. */
    content: z
      .discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('api') }),
        z.strictObject({
          kind: z.literal('kubo'),
          url: httpUrl,
          authorizationScheme: z.enum(['basic', 'bearer']).default('bearer'),
          authorizationFile: path.optional(),
        }),
      ])
      .default({ kind: 'api' }),
    /** JSON file, mode 0600, with the reader's own encryption key; `waymark keygen` makes it. */
    encryptionKeyFile: path.optional(),
  });
};

/** How somebody reaches the consortium, and as whom. Paths are absolute. */
export type Profile = z.infer<ReturnType<typeof profileIn>>;

/** A profile as it stands in its file: defaults may be left out, relative paths are taken from the file's folder. */
export type ProfileDocument = z.input<ReturnType<typeof profileIn>>;

/** The schema of a profile that lies in `file`. */
export function profileSchema(file: string): z.ZodType<Profile, ProfileDocument> {
  return profileIn(dirname(resolve(file)));
}

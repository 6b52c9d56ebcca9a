import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseJsonStrict, WaymarkError } from '@waymark/protocol';
import { z } from 'zod';
import type { AnchoredRange, BackupManifest } from '../store/ledger-chain.ts';

/** Files of a backup. */
export const backupFiles = { blocks: 'blocks.car', seals: 'seals.jsonl', anchors: 'anchors.jsonl' } as const;
export const manifestFile = 'manifest.json';

const maxManifestBytes = 64 * 1024;
const maxLineBytes = 256 * 1024;
const height = z.int().min(0);
const hash = z.string().max(128);

const manifestSchema = z.strictObject({
  v: z.literal(1),
  ledger: z.string().min(1).max(512),
  height,
  hash,
  files: z
    .array(
      z.strictObject({
        name: z.enum(backupFiles),
        sizeBytes: z.int().min(0),
        sha256: z.string().regex(/^[0-9a-f]{64}$/),
      }),
    )
    .length(Object.keys(backupFiles).length),
});

const sealLineSchema = z.strictObject({
  height,
  hash,
  seal: z.base64url(),
  candidateSignature: z.string().max(1024),
});
/** One line of `seals.jsonl`: what of a block is not in its content-addressed blocks. */
export type SealLine = Readonly<z.infer<typeof sealLineSchema>>;

const anchorSchema = z.strictObject({ first: height, last: height, hash, txId: z.string().max(256) });

/** @throws WaymarkError input-invalid */
export function manifestOf(bytes: Uint8Array): BackupManifest {
  const manifest = parsed(manifestSchema, bytes, maxManifestBytes);
  if (new Set(manifest.files.map(({ name }) => name)).size !== manifest.files.length) throw malformed();
  return manifest;
}

/** Lines of `seals.jsonl`, in order. */
export async function* sealLines(path: string): AsyncGenerator<SealLine> {
  for await (const line of linesOf(path)) yield parsed(sealLineSchema, line, maxLineBytes);
}

/** Lines of `anchors.jsonl`, in order. */
export async function* anchorLines(path: string): AsyncGenerator<AnchoredRange> {
  for await (const line of linesOf(path)) yield parsed(anchorSchema, line, maxLineBytes);
}

function linesOf(path: string): AsyncIterable<string> {
  return createInterface({ input: createReadStream(path), crlfDelay: Infinity });
}

function parsed<T>(schema: z.ZodType<T>, text: string | Uint8Array, maxBytes: number): T {
  const result = schema.safeParse(parseJsonStrict(text, { maxBytes }));
  if (!result.success) throw malformed(result.error);
  return result.data;
}

function malformed(cause?: unknown): WaymarkError {
  return new WaymarkError('input-invalid', 'This is not the backup of a chain.', { cause });
}

import { WaymarkError } from '@waymark/protocol';
import { z } from 'zod';

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`));
const place = {
  recordOid: hex(32),
  evidenceId: z.string().max(512),
  leafIndex: z.int().min(0),
  cid: z.string().max(128),
};

/** Of 2 MiB at most, before base64url. */
const proof = z
  .string()
  .regex(/^[A-Za-z0-9_-]+$/)
  .max(2_796_204);

/** What the services answer (their OpenAPI document); anything else is refused here. */
export const answerSchemas = {
  lookups: z.object({
    results: z.array(
      z.object({ hits: z.array(z.object({ ...place, proof: proof.nullable().optional() })), more: z.boolean() }),
    ),
  }),
  proof: z.object({ recordOid: hex(32), proof }),
  keys: z.object({
    ownerKid: z.string().max(64),
    keys: z.array(z.object({ consignmentOid: hex(16), epoch: z.int().min(0), jwe: z.string().max(8_192) })),
  }),
  fastQuery: z.object({
    ownerKid: z.string().max(64),
    records: z.array(z.object({ ...place, envelope: z.base64(), jwe: z.string().max(8_192) })),
  }),
  external: z.object({ outlet: z.string().min(1).max(256), answer: z.string().max(4 * 1024 * 1024) }),
  allowList: z.object({ consignmentOid: hex(16), seq: z.int().min(1), askerKids: z.array(z.string()) }),
  allowLists: z.object({
    lists: z.array(z.object({ consignmentOid: hex(16), seq: z.int().min(1), askerKids: z.array(z.string()) })),
  }),
  status: z.record(z.string(), z.unknown()),
} as const;

/** Checks an answer. @throws WaymarkError unavailable: the service does not speak this interface */
export function parseAnswer<T>(schema: z.ZodType<T>, answer: unknown): T {
  const result = schema.safeParse(answer);
  if (result.success) return result.data;
  throw new WaymarkError('unavailable', 'The service answered in another form than agreed.', {
    details: { place: result.error.issues[0]?.path.map(String).join('.') ?? '' },
  });
}

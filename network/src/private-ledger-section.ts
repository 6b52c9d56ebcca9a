import { z } from 'zod';

/** What a topology says of a private ledger. */
export const privateLedgerSection = z.union([
  z.literal('none'),
  z.strictObject({
    /** Voting members: the center, a standby, then outlets, then verifiers. */
    members: z.int().min(2).max(32).default(4),
    /** What the center is taken for (D5). */
    profile: z.enum(['lying', 'trusted']).default('lying'),
    /** How many departments may be in league with a lying center. */
    colluding: z.int().min(0).max(30).default(0),
  }),
]);

/** What a topology says of a private ledger. */
export type PrivateLedgerSection = z.infer<typeof privateLedgerSection>;

/** What has become of an accepted batch, to be passed on to its outlet. */
export type BatchOutcome = {
  readonly outlet: string;
  readonly seq: number;
} & (
  | {
      readonly state: 'confirmed' | 'anchored';
      readonly receipt: Uint8Array;
      /** Records that the audit of the private ledger rejected. */
      readonly rejected?: readonly { readonly index: number; readonly reason: string }[];
    }
  | { readonly state: 'refused'; readonly refusal: { readonly code: string; readonly message: string } }
);

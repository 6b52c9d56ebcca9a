/** A value with one canonical form: nested lists of texts, whole numbers, booleans and nulls. */
export type Statement = readonly (string | number | boolean | null | Statement)[];

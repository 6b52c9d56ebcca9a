/** What `toThrow` compares with: any error of this code, with these details among its own. */
export function withCode(code: string, details?: object): Error {
  return expect.objectContaining(
    details === undefined ? { code } : { code, details: expect.objectContaining(details) as object },
  ) as Error;
}

/** The part of fabric-ca-client that speaks Fabric CA's REST interface. Its own types describe only the layer above, which makes keys itself. */
declare module 'fabric-ca-client/lib/FabricCAClient.js' {
  import type { ClientRequest, IncomingMessage } from 'node:http';
  import type { RequestOptions } from 'node:https';

  interface ConnectOptions {
    readonly protocol: 'http' | 'https';
    readonly hostname: string;
    readonly port: number;
    readonly caname?: string;
    readonly tlsOptions: { readonly trustedRoots: readonly string[]; readonly verify: boolean };
  }

  /** Signs the token of a request: `_certificate` is the PEM, `sign` gives a DER signature. */
  interface TokenSigner {
    readonly _certificate: string;
    sign(text: string): Uint8Array;
  }

  export default class FabricCaClient {
    constructor(options: ConnectOptions, cryptoSuite: { hash(text: string): string });
    _httpClient: {
      request(options: RequestOptions, onResponse: (response: IncomingMessage) => void): ClientRequest;
    };
    request(
      method: 'GET' | 'POST',
      name: string,
      signer: TokenSigner | undefined,
      body: Record<string, unknown> | undefined,
      options?: { readonly auth?: string },
    ): Promise<{ readonly result: unknown }>;
  }
}

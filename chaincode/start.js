'use strict';
/**
 * Starts the chaincode. With CHAINCODE_SERVER_ADDRESS set it is a service that peers dial (CHAINCODE_ID is the package id); otherwise
 * it dials the peer named in the arguments, as Fabric's Node builder has it.
 *
 * TLS of the service: CHAINCODE_TLS_CERT_FILE and CHAINCODE_TLS_KEY_FILE, and CHAINCODE_TLS_CLIENT_CACERT_FILE to ask peers for theirs.
 */
const { env } = process;
if (env.CHAINCODE_SERVER_ADDRESS) {
  const options = {
    'chaincode-address': env.CHAINCODE_SERVER_ADDRESS,
    'chaincode-id': env.CHAINCODE_ID,
    'chaincode-tls-cert-file': env.CHAINCODE_TLS_CERT_FILE,
    'chaincode-tls-key-file': env.CHAINCODE_TLS_KEY_FILE,
    'chaincode-tls-client-cacert-file': env.CHAINCODE_TLS_CLIENT_CACERT_FILE,
    'module-path': __dirname,
  };
  process.argv.splice(2, 0, 'server');
  for (const [name, value] of Object.entries(options)) {
    if (value) process.argv.push(`--${name}`, value);
  }
} else {
  process.argv.splice(2, 0, 'start');
}
// eslint-disable-next-line @typescript-eslint/no-require-imports -- this file is CommonJS, as the installed package is
require('fabric-shim/cli.js');

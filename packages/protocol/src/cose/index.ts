export {
  a256gcm,
  decryptContent,
  ecdhEsHkdf256,
  ecdhP256,
  encryptContent,
  es256,
  hkdfSha256,
  isLowS,
  toLowS,
} from './algorithms.ts';
export { type Encrypt, encryptCose, fromCoseKey, readEncrypt, toCoseKey } from './encrypt.ts';
export { decryptCose0, type Encrypt0, encryptCose0, readEncrypt0 } from './encrypt0.ts';
export { type CoseSigner, readSign1, type Sign1, type SignatureContext, signCose, verifySign1 } from './sign1.ts';
export {
  bytesOf,
  type CoseHeader,
  decodeProtected,
  type DecodedHeader,
  encodeProtected,
  externalAad,
  headerOf,
  label,
} from './structure.ts';

import { msp } from '@hyperledger/fabric-protos';

const FABRIC_MSP_TYPE = 0;

/** An organisation's membership, as it goes into the channel configuration. Certificates and lists are PEM. */
export interface MspDefinition {
  readonly mspId: string;
  readonly rootCertsPem: readonly string[];
  readonly intermediateCertsPem?: readonly string[];
  readonly tlsRootCertsPem: readonly string[];
  readonly tlsIntermediateCertsPem?: readonly string[];
  readonly crlsPem?: readonly string[];
}

/** `msp.MSPConfig` with NodeOUs enabled, as Fabric builds it from an MSP folder (msp/configbuilder.go). */
export function buildMspConfig(definition: MspDefinition): msp.MSPConfig {
  const fabric = new msp.FabricMSPConfig();
  fabric.setName(definition.mspId);
  fabric.setRootCertsList(definition.rootCertsPem.map(encode));
  fabric.setIntermediateCertsList((definition.intermediateCertsPem ?? []).map(encode));
  fabric.setTlsRootCertsList(definition.tlsRootCertsPem.map(encode));
  fabric.setTlsIntermediateCertsList((definition.tlsIntermediateCertsPem ?? []).map(encode));
  fabric.setRevocationListList((definition.crlsPem ?? []).map(encode));
  const crypto = new msp.FabricCryptoConfig();
  crypto.setSignatureHashFamily('SHA2');
  crypto.setIdentityIdentifierHashFunction('SHA256');
  fabric.setCryptoConfig(crypto);
  const nodeOus = new msp.FabricNodeOUs();
  nodeOus.setEnable(true);
  nodeOus.setClientOuIdentifier(ouIdentifier('client'));
  nodeOus.setPeerOuIdentifier(ouIdentifier('peer'));
  nodeOus.setAdminOuIdentifier(ouIdentifier('admin'));
  nodeOus.setOrdererOuIdentifier(ouIdentifier('orderer'));
  fabric.setFabricNodeOus(nodeOus);
  const config = new msp.MSPConfig();
  config.setType(FABRIC_MSP_TYPE);
  config.setConfig(fabric.serializeBinary());
  return config;
}

function ouIdentifier(unit: string): msp.FabricOUIdentifier {
  const identifier = new msp.FabricOUIdentifier();
  identifier.setOrganizationalUnitIdentifier(unit);
  return identifier;
}

function encode(pem: string): Uint8Array {
  return Buffer.from(pem);
}

/** An identity that its MSP knows and does not accept: revoked, or without a role. Fabric tells it from one that cannot be read. */
export class InvalidIdentity extends Error {
  readonly mspId: string;

  constructor(mspId: string, message: string) {
    super(message);
    this.name = 'InvalidIdentity';
    this.mspId = mspId;
  }
}

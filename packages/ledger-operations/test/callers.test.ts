import { createOrganisationCa, type OrganisationCa } from '@waymark/devnet/ca';
import { createCallers, type Register } from '@waymark/service-kit';
import { certificateVerifier, parseCertificatesPem } from '@waymark/vault';
import { operatorCallers } from '../src/rest/callers.ts';

const mspId = 'NorthlineMSP';
let own: OrganisationCa;
let other: OrganisationCa;

beforeAll(async () => {
  own = await createOrganisationCa({ mspId, domain: 'northline.example' });
  other = await createOrganisationCa({ mspId: 'SunparcelMSP', domain: 'sunparcel.example' });
});

async function identified(
  ca: OrganisationCa,
  enrolmentId: string,
  role: 'admin' | 'client',
  kind?: 'center' | 'reader',
) {
  const { certificatePem } = await ca.issue({ enrolmentId, role });
  const [certificate] = parseCertificatesPem(certificatePem);
  if (certificate === undefined) throw new Error('no certificate');
  const digest = Buffer.from(certificate.digest).toString('hex');
  const register: Register = {
    node: (_msp, id) =>
      kind === undefined || id !== enrolmentId
        ? undefined
        : { kind, revoked: false, certificates: new Map([[digest, 'valid']]) },
  };
  const verifierOf = ({ rootCertPem }: OrganisationCa) =>
    certificateVerifier({ rootsPem: [rootCertPem], intermediatesPem: [] });
  const verifier = verifierOf(own);
  const callers = createCallers([{ mspId, verifier }, { mspId: 'SunparcelMSP', verifier: verifierOf(other) }], register, Date.now); // prettier-ignore
  return () => operatorCallers({ mspId, verifier, callers: () => callers, nowMs: Date.now })(certificate.der);
}

test('the administrator of the firm is known by the role in the certificate, without a register', async () => {
  expect((await identified(own, 'boss', 'admin'))()).toEqual({ enrolmentId: 'boss', kind: 'admin' });
});

test('everybody else of the firm is what the register says', async () => {
  expect((await identified(own, 'center', 'client', 'center'))()).toEqual({ enrolmentId: 'center', kind: 'center' });
  expect((await identified(own, 'eve', 'client', 'reader'))()).toEqual({ enrolmentId: 'eve', kind: 'reader' });
  const unregistered = await identified(own, 'nobody', 'client');
  expect(unregistered).toThrow(expect.objectContaining({ code: 'role-not-permitted' }) as Error);
});

test("another organisation's administrator and nodes have no business here", async () => {
  const admin = await identified(other, 'boss', 'admin');
  expect(admin).toThrow(expect.objectContaining({ code: 'role-not-permitted' }) as Error);
  const center = await identified(other, 'center', 'client', 'center');
  expect(center).toThrow(expect.objectContaining({ code: 'refused' }) as Error);
});

export {
  createOrganisationCa,
  loadOrganisationCa,
  type CreateOrganisationCaParams,
  type IssueParams,
  type IssueTlsParams,
  type IssuedIdentity,
  type IssuedTls,
  type OrganisationCa,
} from './organisation-ca.ts';
export { writeTlsFolder } from './msp-folder.ts';

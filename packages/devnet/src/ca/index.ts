export type { IssuedIdentity, IssuedTls } from './issued.ts';
export {
  createOrganisationCa,
  loadOrganisationCa,
  type CreateOrganisationCaParams,
  type IssueParams,
  type IssueTlsParams,
  type OrganisationCa,
} from './organisation-ca.ts';
export { writeMspFolder, writeTlsFolder, type MspFolderContent } from './msp-folder.ts';

export { type EnterpriseConfiguration, loadEnterpriseConfiguration } from './configuration.ts';
export { createEnterprise, type Enterprise } from './enterprise.ts';

export { type DepartmentConfiguration, loadDepartmentConfiguration } from './configuration.ts';
export { createDepartment, type Department } from './department.ts';

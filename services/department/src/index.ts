export { type DepartmentConfiguration, loadDepartmentConfiguration } from './configuration.ts';
export { type Department } from './composed-department.ts';
export { createDepartment } from './department.ts';

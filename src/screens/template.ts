/**
 * The form of a template, loaded when one is first filled in.
 */
export { showTemplate } from '../dialogs/template';
export { TemplateModel } from '../models/template';
export { TrialModel } from '../models/trial';
export { readYaml } from '../yaml';
